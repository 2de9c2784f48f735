"""The search itself, of objectives whose answers are known."""

import sqlite3

import optuna
import pytest
from optuna.trial import TrialState

from tfrs_app.contract.artifacts import exclusive
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.text_config import TextConfig
from tfrs_app.contract.tune_config import TuneConfig
from tfrs_app.tuning.database import DATABASE, STUDY, open_study, study_identity
from tfrs_app.tuning.search import EndedError, search

pytestmark = pytest.mark.slow

RATE = "retrieval.learning_rate"
LAYERS = "retrieval.query_layers"
BASE = RetrievalConfig(learning_rate=0.5, query_layers=(8,))


def wanted(trials=4, seed=42, **space):
    given = {RATE: {"low": 0.1, "high": 10}, LAYERS: [[], [8]]}
    return TuneConfig.model_validate(
        {"trials": trials, "seed": seed, "space": space or given}
    )


def parabola(values, epoch_done):
    metric = -((values[RATE] - 3) ** 2) - len(values[LAYERS])
    epoch_done(1, metric)
    return metric


def run(folder, tune=None, objective=parabola, base=BASE):
    lines = []
    trials = search(folder, tune or wanted(), base, objective, lines.append)
    return trials, lines


def tried(trials):
    return [trial.params for trial in trials]


def test_as_many_trials_as_wanted_the_configs_own_values_first(tmp_path):
    trials, lines = run(tmp_path / "study")
    assert len(trials) == 4
    assert tried(trials)[0] == {RATE: 0.5, LAYERS: "[8]"}
    assert len({trial.params[RATE] for trial in trials}) == 4
    assert lines[:2] == [
        "trial 1 of 4: learning_rate 0.5, query_layers [8]",
        "  -7.2500 (best)",
    ]
    values = [trial.value for trial in trials]
    assert [line for line in lines if "(best)" in line] == [
        f"  {value:.4f} (best)"
        for n, value in enumerate(values)
        if value > max(values[:n], default=-99)
    ]
    assert [line.partition(":")[0] for line in lines[::2]] == [
        f"trial {n} of 4" for n in range(1, 5)
    ]


def test_own_values_outside_the_space_are_not_tried(tmp_path):
    base = BASE.model_copy(update={"learning_rate": 0.01})
    trials, _ = run(tmp_path / "study", base=base)
    assert len(trials) == 4
    assert all(trial.params[RATE] >= 0.1 for trial in trials)


def test_a_finished_search_does_nothing_and_a_longer_one_goes_on(tmp_path):
    folder = tmp_path / "study"
    first, _ = run(folder, wanted(2))
    again, lines = run(folder, wanted(2))
    assert tried(again) == tried(first)
    assert lines == []
    longer, lines = run(folder, wanted(3))
    assert tried(longer)[:2] == tried(first)
    assert lines[0].startswith("trial 3 of 3: ")
    assert len(longer) == 3


class KilledError(BaseException):
    """What no handler catches: the process is gone, the trial is still running."""


@pytest.mark.parametrize(("fatal", "trials"), [(1, 2), (12, 12)])
def test_a_broken_off_search_goes_on_as_if_it_never_was(tmp_path, fatal, trials):
    """The 12th trial is drawn from what the others showed, the first two are not."""
    whole, _ = run(tmp_path / "whole", wanted(trials))
    calls = []

    def deadly(values, epoch_done):
        calls.append(values)
        if len(calls) == fatal:
            epoch_done(1, 0.0)
            raise KilledError
        return parabola(values, epoch_done)

    broken = tmp_path / "broken"
    with pytest.raises(KilledError):
        run(broken, wanted(trials), deadly)
    with sqlite3.connect(broken / DATABASE) as database:
        states = database.execute("select state from trials").fetchall()
    assert states.count(("RUNNING",)) == 1
    resumed, lines = run(broken, wanted(trials))
    assert tried(resumed) == tried(whole)
    assert lines[0].startswith(f"trial {fatal} of {trials}")
    everything = open_study(broken).get_trials()
    counted = [trial.state for trial in everything]
    assert counted.count(TrialState.FAIL) == 1
    assert counted.count(TrialState.COMPLETE) == trials


def test_a_kill_before_the_first_trial_does_not_try_the_own_values_twice(tmp_path):
    folder = tmp_path / "study"
    open_study(folder).enqueue_trial({RATE: 0.5, LAYERS: "[8]"})
    trials, _ = run(folder, wanted(2))
    assert [trial.params[RATE] == 0.5 for trial in trials] == [True, False]


def test_another_seed_tries_other_values(tmp_path):
    left, _ = run(tmp_path / "left", wanted(seed=1))
    right, _ = run(tmp_path / "right", wanted(seed=2))
    assert tried(left)[0] == tried(right)[0]  # the config's own values
    assert all(a != b for a, b in zip(tried(left)[1:], tried(right)[1:], strict=True))


def test_a_trial_below_the_median_is_pruned_from_its_second_epoch_on(tmp_path):
    epochs = []

    def poorer_each_time(values, epoch_done):
        level = -len(epochs)
        epochs.append(0)
        for epoch in (1, 2, 3):
            epochs[-1] = epoch
            epoch_done(epoch, level + epoch / 10)
        return level + 0.3

    trials, lines = run(tmp_path / "study", wanted(7), poorer_each_time)
    # The median needs five trials; the first epoch is never judged.
    assert epochs == [3, 3, 3, 3, 3, 2, 2]
    assert [trial.state for trial in trials] == (
        [TrialState.COMPLETE] * 5 + [TrialState.PRUNED] * 2
    )
    assert lines[-1] == "  ended early: below the median of the trials after epoch 2"


def test_values_that_cannot_be_trained_count_and_say_why(tmp_path):
    def picky(values, epoch_done):
        if values[LAYERS]:
            raise EndedError("too deep")
        return parabola(values, epoch_done)

    trials, lines = run(tmp_path / "study", objective=picky)
    assert len(trials) == 4
    assert lines[1] == "  ended early: too deep"
    for trial in trials:
        deep = trial.params[LAYERS] == "[8]"
        assert trial.state == (TrialState.PRUNED if deep else TrialState.COMPLETE)


def test_two_processes_do_not_search_in_one_folder(tmp_path):
    folder = tmp_path / "study"
    with exclusive(folder), pytest.raises(ArtifactError, match="another process"):
        run(folder)


def test_a_damaged_database_is_told_with_a_remedy(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(ArtifactError, match=r"study.db: is no readable.*search again"):
        run(folder)


def test_a_database_that_was_killed_while_it_was_made_is_made_again(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / f".{DATABASE}.partial").write_bytes(b"half" * 100)
    trials, _ = run(folder)
    assert len(trials) == 4
    assert [path.name for path in folder.iterdir()] == [DATABASE]


@pytest.mark.parametrize("name", ["what? no", "50%", "a#b", "é:ö", "x&mode=memory"])
def test_a_folder_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    run(folder, wanted(1))
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [name]
    assert [path.name for path in folder.iterdir()] == [DATABASE]


def test_any_tool_of_optunas_reads_the_study(tmp_path):
    trials, _ = run(tmp_path / "study")
    url = f"sqlite:///{tmp_path / 'study' / DATABASE}"
    study = optuna.load_study(study_name=STUDY, storage=url)
    assert study.best_value == max(trial.value for trial in trials)


def test_the_identity_has_all_that_changes_a_trial():
    one = study_identity("data", None, None, BASE, wanted())
    assert one == study_identity("data", None, None, BASE, wanted(trials=99))
    others = [
        study_identity("other", None, None, BASE, wanted()),
        study_identity("data", "encoder", None, BASE, wanted()),
        study_identity("data", "encoder", TextConfig(mode="full"), BASE, wanted()),
        study_identity("data", None, None, RetrievalConfig(), wanted()),
        study_identity("data", None, None, BASE, wanted(seed=1)),
        study_identity("data", None, None, BASE, wanted(**{RATE: [1, 2]})),
        study_identity("data", None, None, BASE, wanted(**{RATE: [1, 3]})),
    ]
    assert len({one, *others}) == 8
