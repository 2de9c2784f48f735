import itertools

import numpy as np
import pytest

from beam import pairs
from beam.pairs import Contents, meetings, pair_counts, ranked
from tests.unit.beam.basket_loops import loop_co_purchases
from tfrs_app.contract.data_config import CoPurchasesConfig

BASKETS = [{0, 1, 2}, {0, 1}, {0, 1}, {2}, {2, 4}, {2, 4}, {0, 4}, {5, 3}]


def contents(baskets):
    rows = [item for basket in baskets for item in sorted(basket)]
    starts = np.cumsum([0, *map(len, baskets)])
    return Contents(np.array(rows, dtype=np.int32), starts)


def co_purchases(baskets, items=8, ranges=1, **config):
    config = CoPurchasesConfig(**config)
    counts = np.bincount([i for b in baskets for i in b], minlength=items)
    edges = [items * i // ranges for i in range(ranges + 1)]
    rows, met = [], 0
    for part in itertools.starmap(range, itertools.pairwise(edges)):
        blocks = pair_counts(contents(baskets), part, items, config.min_baskets)
        for block, counted in blocks:
            met += counted
            best, lift = ranked(block, counts, len(baskets), config)
            columns = (best.item, best.other, best.baskets, lift)
            rows += zip(*(column.tolist() for column in columns), strict=True)
    return rows, met


def test_lifts_are_shrunk_ratios():
    rows, met = co_purchases(BASKETS, shrinkage=2.0)
    assert [row[:3] for row in rows] == [(0, 1, 3), (1, 0, 3), (2, 4, 2), (4, 2, 2)]
    joint_01 = (3 + 2) / (4 * 3 / 8 + 2)
    joint_24 = (2 + 2) / (4 * 3 / 8 + 2)
    lifts = [row[3] for row in rows]
    assert lifts == pytest.approx([joint_01, joint_01, joint_24, joint_24])
    assert met == 3 * 2 + 6 * 2
    assert meetings(contents(BASKETS)).sum() == met


def test_without_shrinkage_the_lift_is_observed_over_expected():
    rows, _ = co_purchases([{0, 1}, {2}, {2}, {2}], shrinkage=0.0, min_baskets=1)
    assert rows == [(0, 1, 1, 4.0), (1, 0, 1, 4.0)]


def test_ties_stand_by_baskets_and_then_by_catalogue_order():
    # 1 and 2 meet 0 alike; 3 meets it twice of four times as much: the same lift.
    baskets = [{0, 1}, {0, 2}, {0, 3}, {0, 3}, {1}, {2}, {3}, {3}]
    rows, _ = co_purchases(baskets, shrinkage=0.0, min_baskets=1)
    assert {row[3] for row in rows if row[0] == 0} == {1.0}
    assert [row[1:3] for row in rows if row[0] == 0] == [(3, 2), (1, 1), (2, 1)]
    rows, _ = co_purchases(baskets, shrinkage=0.0, min_baskets=1, top=2)
    assert [row[1] for row in rows if row[0] == 0] == [3, 1]


def test_an_item_bought_once_has_partners_only_where_one_basket_is_enough():
    baskets = [{0, 1}, {1}]
    assert co_purchases(baskets)[0] == []
    assert len(co_purchases(baskets, min_baskets=1)[0]) == 2


@pytest.mark.parametrize("baskets", [[], [{3}, {3}, {5}]])
def test_no_pair_at_all(baskets):
    assert co_purchases(baskets, min_baskets=1) == ([], 0)


def test_lifts_are_symmetric():
    rows, _ = co_purchases(many_baskets(), items=30, min_baskets=1, top=30)
    lifts = {(a, b): (n, lift) for a, b, n, lift in rows}
    assert len(lifts) > 200
    for (a, b), found in lifts.items():
        assert lifts[b, a] == found


def many_baskets():
    random = np.random.default_rng(5)
    popular = (30 * random.random((400, 6)) ** 3).astype(int)
    return [set(row[: 1 + i % 6].tolist()) for i, row in enumerate(popular)]


@pytest.mark.parametrize("ranges", [1, 7, 40])  # with 40 some hold no item
@pytest.mark.parametrize("block", [1, 50, 10**6])  # 1: every item is counted in parts
@pytest.mark.parametrize("keys", [30, 100, 2**31])  # 30: one item a block
def test_ranges_and_blocks_change_nothing(monkeypatch, ranges, block, keys):
    monkeypatch.setattr(pairs, "BLOCK", block)
    monkeypatch.setattr(pairs, "_KEYS", keys)
    baskets = many_baskets()
    rows, met = co_purchases(baskets, 30, ranges, top=5, min_baskets=3)
    assert rows == loop_co_purchases(baskets, least=3, top=5)
    assert met == sum(len(b) * (len(b) - 1) for b in baskets)
