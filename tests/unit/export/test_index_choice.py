import json

import numpy as np
import pytest
import tensorflow as tf

from tests.unit.export.test_index import unit
from tfrs_app.contract.config import ExportConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.export.index import ExactIndex, ScannIndex
from tfrs_app.export.index_choice import Measured, choose_index, chosen_of, recall

QUERIES = unit(64, seed=1)


def choice_of(items, **settings):
    embeddings = tf.Variable(unit(items))
    return choose_index(embeddings, QUERIES, ExportConfig(**settings))


@pytest.mark.parametrize("items", [1, 999])
def test_scann_needs_a_thousand_items(items):
    with pytest.raises(ConfigError, match=f"has {items}; set export.index to exact"):
        choice_of(items, index="scann")
    for index in ("exact", "auto"):
        choice = choice_of(items, index=index)
        assert isinstance(choice.index, ExactIndex)
        assert [one.index for one in choice.measured] == ["exact"]


def test_a_thousand_items_are_enough_for_scann():
    choice = choice_of(1000, index="scann")
    assert isinstance(choice.index, ScannIndex)
    assert [one.index for one in choice.measured][:2] == ["exact", "scann"]


def test_as_few_partitions_are_searched_as_find_enough():
    modest, strict = (
        choice_of(2000, index="scann", min_recall=least) for least in (0.5, 0.97)
    )
    for choice, least in ((modest, 0.5), (strict, 0.97)):
        *short, last = [one.recall for one in choice.measured[1:]]
        assert all(found < least for found in short)
        assert last >= least
        assert choice.chosen is choice.measured[-1]
    assert modest.chosen.leaves_searched < strict.chosen.leaves_searched


def test_what_was_measured_is_what_the_index_finds():
    items = unit(2000)
    choice = choose_index(tf.Variable(items), QUERIES, ExportConfig(index="scann"))
    rows, _ = choice.index.search(tf.constant(QUERIES), tf.constant(100))
    best = np.argsort(-(QUERIES @ items.T), axis=1)[:, :100]
    assert choice.chosen.recall == pytest.approx(recall(rows.numpy(), best), abs=2e-3)


def test_a_configured_share_that_finds_too_little_ends_the_export():
    with pytest.raises(ConfigError, match=r"finds 0\.\d+ of .* less than .* 0\.98;"):
        choice_of(2000, index="scann", scann_leaves_searched=0.02)


def test_recall_is_the_mean_share_that_is_found():
    best = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    found = np.array([[4, 9, 1, -1], [8, 7, 6, 5]])
    assert recall(found, best) == 0.75


def measured(index, share, found, single_ms, together_ms=1.0):
    return Measured(index, share, found, {1: single_ms, 32: together_ms}, 1.0)


EXACT = measured("exact", None, 1.0, 2.0)


@pytest.mark.parametrize(
    ("scanns", "share"),
    [
        ([measured("scann", 0.1, 0.99, 1.0)], 0.1),
        ([measured("scann", 0.1, 0.99, 3.0)], None),
        ([measured("scann", 0.1, 0.97, 1.0)], None),
        (
            [measured("scann", 0.1, 0.97, 0.5), measured("scann", 0.2, 0.98, 1.0)],
            0.2,
        ),
        ([], None),
    ],
    ids=["faster", "slower", "finds too little", "the first that finds", "none"],
)
def test_auto_takes_the_faster_one_that_finds_enough(scanns, share):
    assert chosen_of([EXACT, *scanns], ExportConfig()).leaves_searched == share


def test_the_report_shows_all_and_marks_the_chosen():
    choice = choice_of(1000, index="scann", min_recall=0.5)
    rows = json.loads(choice.json)
    assert [row["index"] for row in rows] == [one.index for one in choice.measured]
    assert [row["chosen"] for row in rows].count(True) == 1
    assert rows[-1]["chosen"]
    assert set(rows[0]["p50_ms"]) == {"1", "32"}
    assert rows[0]["megabytes"] == pytest.approx(1000 * 16 * 4 / 1e6)
    assert choice.table.row_count == len(rows)
