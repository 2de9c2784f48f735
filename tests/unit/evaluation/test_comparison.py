import dataclasses
import io
import json

import numpy as np
import pytest
from rich.console import Console

from tests.little_shop import T0
from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.contract.errors import DataError
from tfrs_app.data.dataset import Dataset, Split
from tfrs_app.evaluation.comparison import compare
from tfrs_app.evaluation.document import write_metrics
from tfrs_app.evaluation.protocol import Target
from tfrs_app.evaluation.table import table_of

pytestmark = pytest.mark.slow

BASELINES = (
    "popular", "recently_popular", "personal_frequency", "item_knn", "ease", "ials",
    "tfidf_profile", "blend",
)  # fmt: skip
CONFIG = EvaluationConfig(ks=(1, 3), k=3, resamples=100)
FEW = CONFIG.model_copy(update={"baselines": ("popular", "recently_popular")})


class Perfect:
    """Knows that ann buys date and cid bread."""

    def scores(self, question, rows):
        return np.tile([0.0, 1.0, 0.0, 1.0, 0.0], (len(question.user[rows]), 1))


def quiet(line):
    pass


@pytest.fixture
def dataset(little_folder):
    return Dataset.open(little_folder)


@pytest.fixture(scope="module")
def comparison(little_folder):
    return compare(Dataset.open(little_folder), {"perfect": Perfect()}, CONFIG, quiet)


def test_everybody_is_compared_on_both_targets(comparison):
    assert [(r.model, r.target.value) for r in comparison.results] == [
        (model, target)
        for target in ("all", "first_purchase")
        for model in (*BASELINES, "perfect")
    ]
    names = [
        f"{name}@{k}" for name in ("recall", "ndcg", "map", "hit_rate") for k in (1, 3)
    ]
    for result in comparison.results:
        assert list(result.metrics) == [*names, "mrr"]
        assert set(result.intervals) == set(result.metrics)
        assert (result.validation is None) == (result.model == "perfect")


def test_the_metrics_are_those_of_the_test_window(comparison):
    found = {(r.model, r.target): r for r in comparison.results}
    # ann buys date (3), cid bread (1); the first of equal scores is bread.
    whole = found["perfect", Target.ALL]
    assert whole.metrics["recall@1"] == 0.5
    assert whole.metrics["recall@3"] == 1.0
    assert sorted(whole.per_user["recall@1"].tolist()) == [0.0, 1.0]
    assert whole.lists[:, :2].tolist() == [[1, 3], [1, 3]]
    assert whole.curve[1] == 0.5
    assert whole.curve[2] == 1.0
    # ann viewed bread but did not buy it, so it stays listed for her.
    assert found["perfect", Target.FIRST_PURCHASE].metrics["recall@1"] == 0.5


def test_slices_and_list_metrics_of_the_test_window(comparison):
    found = {(r.model, r.target): r for r in comparison.results}
    perfect = found["perfect", Target.ALL]
    # Everything had an event before: cheese, egg, apple, date by cid, bread by view.
    assert perfect.slices["cold_items"].users == 0
    assert perfect.slices["cold_candidates"].users == 0
    assert perfect.slices["first"].users == 2
    assert perfect.slices["repeat"].users == 0
    assert perfect.slices["warm_items"].metrics["recall@3"] == 1.0
    assert perfect.list_metrics["coverage@3"] == 3 / 5
    assert set(perfect.list_metrics) == {
        "coverage@3", "novelty@3", "gini@3", "diversity@3",
    }  # fmt: skip
    assert sum(perfect.exposure) == pytest.approx(1)


def test_each_model_is_judged_against_each_baseline(comparison):
    for target in Target:
        rows = [r for r in comparison.results if r.target is target]
        for metric in ("ndcg@3", "recall@3"):
            judged = [
                v
                for v in comparison.verdicts
                if v.target is target and v.metric == metric
            ]
            assert [v.rival for v in judged] == list(BASELINES)
            (best,) = [v for v in judged if v.best]
            metrics = {r.model: r.metrics[metric] for r in rows}
            assert metrics[best.rival] == max(metrics[name] for name in BASELINES)
            for verdict in judged:
                difference = metrics["perfect"] - metrics[verdict.rival]
                assert verdict.difference.value == pytest.approx(difference)


def test_what_happens_in_the_test_window_changes_no_parameter(dataset):
    def chosen():
        results = compare(dataset, {}, CONFIG, quiet).results
        return [(r.model, r.target, dict(r.parameters), r.validation) for r in results]

    before = chosen()
    log = dataset.events
    late = log.timestamp >= dataset.split.test_start
    assert late.any()
    item = np.where(late, (log.item + 1) % 5, log.item).astype(log.item.dtype)
    dataset.__dict__["events"] = dataclasses.replace(log, item=item)
    assert chosen() == before


def test_what_happens_before_it_does_change_them(dataset):
    """Otherwise the test above would prove nothing."""
    before = compare(dataset, {}, FEW, quiet).results[0].validation
    log = dataset.events
    early = log.timestamp < dataset.split.test_start
    window = early & (log.timestamp >= dataset.split.validation_start)
    cheese = np.full_like(log.item, 2)  # instead of apple and egg
    item = np.where(window, cheese, log.item)
    dataset.__dict__["events"] = dataclasses.replace(log, item=item)
    assert compare(dataset, {}, FEW, quiet).results[0].validation != before


def test_the_config_names_the_baselines(dataset):
    lines = []
    results = compare(dataset, {}, FEW, lines.append).results
    assert {r.model for r in results} == {"popular", "recently_popular"}
    assert lines[0].startswith("popular: 1 points tuned in ")
    assert "  all: counted " in lines[2]


def without_content(dataset):
    nothing = np.full(5, b"", object)
    dataset.__dict__["catalogue"] = {
        **dataset.catalogue, "title": nothing, "colour": nothing,
    }  # fmt: skip
    return dataset


def test_a_baseline_that_the_data_do_not_allow_is_left_out_and_told(dataset):
    lines = []
    results = compare(without_content(dataset), {}, CONFIG, lines.append).results
    assert "tfidf_profile" not in {r.model for r in results}
    reason = "tfidf_profile: the items have no text and no category, left out"
    assert reason in lines
    assert "diversity@3" not in results[0].list_metrics


def test_a_baseline_that_is_asked_for_must_be_allowed(dataset):
    config = CONFIG.model_copy(update={"baselines": ("tfidf_profile",)})
    with pytest.raises(DataError, match=r"baselines: tfidf_profile.*; leave it out"):
        compare(without_content(dataset), {}, config, quiet)


def test_metrics_json_has_exactly_these_keys(comparison, dataset, tmp_path):
    path = tmp_path / "reports" / "metrics.json"
    write_metrics(path, dataset, comparison, {"dataset": "d", "run": "r"})
    document = json.loads(path.read_text())
    assert list(document) == ["protocol", "dataset", "run", "verdicts", "results"]
    assert document["protocol"] == {
        "validation_start": "2024-01-10T00:00:00+00:00",
        "test_start": "2024-01-20T00:00:00+00:00",
        "test_end": "2024-01-22T00:00:01+00:00",  # after the last event
        "catalogue_items": 5,
        "users": {"all": 2, "first_purchase": 2},
    }
    metrics = {
        f"{name}@{k}" for name in ("recall", "ndcg", "map", "hit_rate") for k in (1, 3)
    }
    lists = {"coverage@3", "novelty@3", "gini@3", "diversity@3"}
    parts = {"intervals", "slices", "recall_curve", "exposure"}
    rows = {(r["model"], r["target"]): r for r in document["results"]}
    assert len(rows) == 18
    for (model, target), row in rows.items():
        expected = {"model", "target", "mrr", *metrics, *lists, *parts}
        expected |= {"validation"} if model != "perfect" else set()
        if model not in ("popular", "perfect"):
            expected.add("parameters")
        assert set(row) == expected
        assert all(0 <= row[name] <= 1 for name in metrics)
        assert ("repeat" in row["slices"]) == (target == "all")
        low, high = row["intervals"]["ndcg@3"]
        assert low <= row["ndcg@3"] <= high
    assert rows["perfect", "all"]["recall@3"] == 1.0
    assert rows["perfect", "all"]["recall_curve"]["2"] == 1.0
    assert set(document["verdicts"][0]) == {
        "model", "rival", "rival_is_best", "target", "metric", "outcome", "value",
        "interval", "relative", "relative_interval", "words",
    }  # fmt: skip


def test_a_table_a_target_fits_a_hundred_columns(comparison):
    console = Console(record=True, width=80, file=io.StringIO())
    console.print(table_of(comparison.results, Target.ALL, CONFIG))
    text = console.export_text()
    assert "target: all" in text
    for name in (*BASELINES, "perfect"):
        assert f" {name} " in text
    assert "1.0000" in text
    assert "…" not in text


def test_nobody_to_ask_is_an_error(dataset):
    late = Split(T0 - 10, T0 - 5, T0 - 1)
    dataset.__dict__["split"] = late
    with pytest.raises(DataError, match="no user has events both before and in"):
        compare(dataset, {}, CONFIG, quiet)
