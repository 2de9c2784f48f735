"""What peers are given, how they are tuned, and who sees what."""

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.peers import files, judge, process, results, rival
from benchmarks.peers.models.longer_lists import first_new, most_had
from benchmarks.peers.questions import refuse_other_events, write
from benchmarks.peers.rival import Data, fitted, stalled, tune
from benchmarks.peers.run import alike
from tests.little_shop import DAY, T0
from tfrs_app.data.dataset import Dataset


@pytest.fixture
def folder(little_folder, tmp_path):
    write(Dataset.open(little_folder), tmp_path / "little.yaml", tmp_path)
    return tmp_path


class Always:
    """Lists one item."""

    def __init__(self, item):
        self.item = item

    def recommend(self, users, k, *, new_only):
        return np.full((len(users), 1), self.item)


class Counting:
    """Lists a setting's items, one a round."""

    PACKAGES = ("numpy",)
    SETTINGS = ({"items": (0, 4, 1)}, {"items": (2,)})

    def __init__(self):
        self.fits = 0

    def fit(self, data, setting):
        for item in setting["items"]:
            self.fits += 1
            yield Always(item)


def test_events_of_the_test_window_are_not_written(folder):
    moment = T0 + 19 * DAY  # test_start
    with np.load(folder / files.EVENTS) as events:
        assert len(events["user"]) == 8
        assert (events["timestamp"] < moment).all()
    with np.load(folder / files.TEST_USERS) as users:
        assert set(users) == set(files.TARGETS)
        assert all(users[target].shape == (2,) for target in users)


def test_the_answers_are_the_protocols(folder):
    with np.load(folder / files.ANSWERS) as arrays:
        answers = {t: rival.Answers.of(arrays, t) for t in files.TARGETS}
    # ann buys date, cid bread; what they had is barred from their lists of new items.
    bought = answers["first_purchase"]
    found = zip(bought.targets, bought.excluded, strict=True)
    assert set(found) == {
        (frozenset({3}), frozenset({0, 2})),
        (frozenset({1}), frozenset({3})),
    }
    assert answers["all"].excluded == [set(), set()]


def test_data_end_at_their_moment(folder):
    data = Data.before(folder, T0 + 3 * DAY)
    assert data.timestamp.max() < T0 + 3 * DAY
    assert data.counts.sum() == len(data.user) == 5


def test_once_keeps_the_first_purchase_of_each_pair(folder):
    data = Data.before(folder, T0 + 19 * DAY)
    once = data.once()
    assert len(once.user) == data.counts.nnz
    assert (once.counts.data == 1).all()


def test_tuning_takes_the_best_setting_and_round_of_each_target(folder):
    # On validation, ann bought apple again and bob egg again: nothing new.
    with np.load(folder / files.VALIDATION) as arrays:
        arrays = dict(arrays)
    for name in ("user", "splits", "items", "excluded_splits", "excluded_items"):
        arrays[f"first_purchase_{name}"] = arrays[f"all_{name}"]
    np.savez(folder / files.VALIDATION, **arrays)
    peer = Counting()
    found = tune(peer, folder)
    assert found["chosen"]["all"]["setting"] == {"items": (0, 4, 1)}
    assert found["chosen"]["all"]["rounds"] == 1
    assert found["chosen"]["all"]["ndcg"] == pytest.approx(0.5)
    assert len(found["tried"]) == 2
    assert not found["not_tried"]


def test_a_spent_budget_begins_nothing_new(folder, monkeypatch):
    monkeypatch.setattr(rival, "BUDGET_CPU_S", -1)
    monkeypatch.setattr(rival, "quality", lambda *_: 0.0)
    peer = Counting()
    found = tune(peer, folder)
    assert peer.fits == 1
    assert found["not_tried"] == [{"items": (2,)}]


def test_answers_are_lists_and_what_they_took(folder):
    peer = Counting()
    chosen = {"setting": {"items": (0, 1)}, "rounds": 2, "ndcg": 0.1}
    process.publish(folder / files.TUNED, {"chosen": {"all": chosen}})
    process.answer(peer, folder, folder, ["all"])
    with np.load(folder / files.LISTS.format(target="all")) as arrays:
        assert arrays["lists"].tolist() == [[1], [1]]
    path = folder / files.MEASURED.format(target="all")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["setting"] == {"items": [0, 1]}
    assert found["packages"] == {"numpy": np.__version__}
    assert found["training"]["cpu_s"] >= 0
    assert found["peak_mib"] > 10
    assert set(found["requests"]) == {"1", "32"}


def test_results_compare_everybody_with_the_funnel(folder, monkeypatch):
    # In file order the targets are one item each: date for ann, bread for cid.
    with np.load(folder / files.ANSWERS) as arrays:
        right = {t: arrays[f"{t}_items"][:, np.newaxis] for t in files.TARGETS}
    nothing = {target: np.full((2, 1), -1) for target in files.TARGETS}
    for name, lists in (("funnel", nothing), ("als", right)):
        own = folder / name
        own.mkdir()
        process.publish(
            own / files.TUNED,
            {"tried": [], "not_tried": [], "cpu_s": 1.0, "chosen": {}},
        )
        for target in files.TARGETS:
            np.savez(own / files.LISTS.format(target=target), lists=lists[target])
            process.publish(
                own / files.MEASURED.format(target=target), {"packages": {}}
            )
    monkeypatch.setattr(judge, "RESAMPLES", 10)
    found = {r["name"]: r["targets"] for r in results.judged(folder)["rivals"]}
    assert set(found) == {"als", "funnel"}
    for target in files.TARGETS:
        assert found["als"][target]["metrics"]["ndcg@20"] == 1
        assert found["als"][target]["minus_funnel"] == [1, 1]
        assert found["funnel"][target]["minus_funnel"] == [0, 0]


def test_training_ends_at_the_chosen_round():
    peer = Counting()
    choice = rival.Choice({"items": (0, 4, 1)}, 2, 0.0)
    assert fitted(peer, None, choice).item == 4
    assert peer.fits == 2
    with pytest.raises(ValueError, match="fewer than 9 rounds"):
        fitted(peer, None, rival.Choice({"items": (0,)}, 9, 0.0))


def test_a_setting_ends_when_neither_target_gains():
    def rounds(*values):
        return [{"first_purchase": a, "all": b} for a, b in values]

    assert stalled(rounds((2, 2), (1, 1), (1, 1)))
    assert not stalled(rounds((2, 2), (1, 1), (1, 3)))
    assert not stalled(rounds((2, 2), (1, 1)))


def test_targets_that_chose_alike_are_fitted_once():
    one, other = {"setting": {"a": 1}, "rounds": 2}, {"setting": {"a": 1}, "rounds": 3}
    chosen = {"first_purchase": {**one, "ndcg": 0.1}, "all": {**one, "ndcg": 0.2}}
    assert alike(chosen) == [["first_purchase", "all"]]
    assert alike({**chosen, "all": other}) == [["first_purchase"], ["all"]]


def test_longer_lists_lose_what_was_had():
    had = sp.csr_matrix(np.array([[1, 0, 1, 0], [0, 0, 0, 0]]))
    users = np.array([1, 0])
    ranked = np.array([[0, 1, 2, 3], [2, 3, 0, 1]])
    assert most_had(had, users) == 2
    assert first_new(ranked, had, users, 2).tolist() == [[0, 1], [3, 1]]


def test_a_shop_with_views_is_refused():
    refuse_other_events(["purchase"])
    with pytest.raises(SystemExit, match="logs \\['view', 'purchase'\\]"):
        refuse_other_events(["view", "purchase"])


def test_meta_names_the_dataset(folder, little_folder):
    meta = json.loads((folder / files.META).read_text(encoding="utf-8"))
    assert meta["dataset"] == little_folder.name


def test_a_process_does_not_count_the_memory_of_who_started_it():
    held = np.ones(60 * 10**6)  # 480 MB
    command = "from benchmarks.peers.measuring import peak_mib; print(peak_mib())"
    done = subprocess.run(
        [sys.executable, "-c", command], check=True, capture_output=True, text=True
    )
    assert 5 < float(done.stdout) < held.nbytes / 2**20 / 2
