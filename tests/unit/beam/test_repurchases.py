import math

from hypothesis import given

from beam.repurchases import merged_repurchases, repurchase_counts
from tests.unit.beam.basket_loops import loop_repurchases
from tests.unit.beam.test_baskets import HOUR, PURCHASES, A, B, C, purchases

DAY = 24 * HOUR


def merged(*shards, items=7):
    tables = [repurchase_counts(purchases(rows)) for rows in shards]
    found = merged_repurchases(tables, items)
    assert found.intervals.dtype == "int64"
    assert found.days.dtype == "float64"
    return list(zip(found.intervals.tolist(), found.days.tolist(), strict=True))


def test_intervals_are_whole_days_between_days_of_purchase():
    late = 23 * HOUR
    rows = [
        (0, A, late, None), (0, A, DAY, None),  # an hour later, but the next day
        (0, A, DAY + HOUR, None),  # the same day again
        (0, A, 8 * DAY, None),
        (1, A, 0, None),  # another user
        (0, B, 0, None), (0, C, 3 * DAY, None),
    ]  # fmt: skip
    found = merged(rows)
    assert found[A] == (2, 4.0)  # 1 and 7 days
    assert [count for count, _ in found[1:]] == [0] * 6
    assert all(math.isnan(days) for _, days in found[1:])


def test_no_purchase_has_no_interval():
    assert [count for count, _ in merged([], [])] == [0] * 7


@given(PURCHASES)
def test_shards_add_up_to_what_a_loop_finds(rows):
    expected = loop_repurchases(rows)
    for shards in (1, 3):  # a user lies wholly in one shard
        parts = [[r for r in rows if r[0] % shards == s] for s in range(shards)]
        for item, (count, days) in enumerate(merged(*parts)):
            if item in expected:
                assert (count, days) == expected[item]
            else:
                assert count == 0
                assert math.isnan(days)
