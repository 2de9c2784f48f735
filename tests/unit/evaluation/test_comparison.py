import io
import json

import numpy as np
import pytest
from rich.console import Console

from tests.little_shop import T0
from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.contract.errors import DataError
from tfrs_app.data.dataset import Dataset, Split
from tfrs_app.evaluation.comparison import compare, table_of, write_metrics
from tfrs_app.evaluation.protocol import Target

KS = EvaluationConfig(ks=(1, 3))


class Perfect:
    """Knows that ann buys date and cid bread."""

    def scores(self, question, rows):
        return np.tile([0.0, 1.0, 0.0, 1.0, 0.0], (len(question.user[rows]), 1))


@pytest.fixture
def dataset(little_folder):
    return Dataset.open(little_folder)


@pytest.fixture
def results(dataset):
    return compare(dataset, {"perfect": Perfect()}, KS, lambda line: None)


def test_everybody_is_compared_on_both_targets(results):
    assert [(r.model, r.target.value) for r in results] == [
        (model, target)
        for target in ("all", "first_purchase")
        for model in ("popular", "recently_popular", "personal_frequency", "perfect")
    ]
    for result in results:
        assert list(result.metrics) == ["recall@1", "recall@3", "ndcg@1", "ndcg@3"]


def test_the_metrics_are_those_of_the_test_window(results):
    found = {(r.model, r.target): r.metrics for r in results}
    # ann buys date (3), cid bread (1); the first of equal scores is bread.
    assert found["perfect", Target.ALL]["recall@1"] == 0.5
    assert found["perfect", Target.ALL]["recall@3"] == 1.0
    # ann viewed bread but did not buy it, so it stays listed for her.
    assert found["perfect", Target.FIRST_PURCHASE]["recall@1"] == 0.5


def test_metrics_json_has_exactly_these_keys(results, dataset, tmp_path):
    path = tmp_path / "reports" / "metrics.json"
    write_metrics(path, dataset, results, {"dataset": "d", "run": "r"})
    document = json.loads(path.read_text())
    assert list(document) == ["protocol", "dataset", "run", "results"]
    assert document["protocol"] == {
        "test_start": "2024-01-20T00:00:00+00:00",
        "test_end": "2024-01-22T00:00:01+00:00",  # after the last event
        "catalogue_items": 5,
        "users": {"all": 2, "first_purchase": 2},
    }
    metrics = {"recall@1", "recall@3", "ndcg@1", "ndcg@3"}
    rows = {(r["model"], r["target"]): r for r in document["results"]}
    assert len(rows) == 8
    for (model, _), row in rows.items():
        tuned = model in ("recently_popular", "personal_frequency")
        expected = {"model", "target", *metrics} | ({"parameters"} if tuned else set())
        assert set(row) == expected
        assert all(0 <= row[name] <= 1 for name in metrics)
    assert rows["perfect", "all"]["recall@3"] == 1.0


def test_a_table_a_target(results):
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(table_of(results, Target.ALL))
    text = console.export_text()
    assert "target: all" in text
    assert "perfect" in text
    assert "1.0000" in text


def test_nobody_to_ask_is_an_error(dataset):
    late = Split(T0 - 10, T0 - 5, T0 - 1)
    dataset.__dict__["split"] = late
    with pytest.raises(DataError, match="no user has events both before and in"):
        compare(dataset, {}, KS, lambda line: None)
