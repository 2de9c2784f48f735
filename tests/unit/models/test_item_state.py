import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tfrs_app.data.co_purchases import CoPurchases
from tfrs_app.models.item_state import NOTHING, partner_tables, rhythm

DAY = 86400
ITEMS = 6
"""One more than the logs name."""
MOMENT = st.integers(-1, 8)


def in_days(users):
    return [[(time * DAY, *rest) for time, *rest in events] for events in users]


def plain_rhythm(users, moment):
    gaps = {item: [] for item in range(ITEMS)}
    events = dict.fromkeys(range(ITEMS), 0)
    for user in users:
        last = {}
        for time, item, _ in user:
            if time < moment:
                events[item] += 1
                if item in last:
                    gaps[item].append(math.log(1 + time - last[item]))
                last[item] = time
    every = [gap for item in range(ITEMS) for gap in gaps[item]]
    usual = sum(every) / len(every) if every else 0.0
    share = len(every) / sum(events.values()) if every else 0.0
    return [
        [
            (sum(gaps[item]) + 5 * usual) / (len(gaps[item]) + 5),
            (len(gaps[item]) + 5 * share) / (events[item] + 5),
        ]
        for item in range(ITEMS)
    ]


@given(USERS, MOMENT)
def test_rhythm_leans_to_the_shops_means(users, moment):
    found = rhythm(log_of(in_days(users)), ITEMS, moment * DAY)
    assert (found.shape, found.dtype) == ((ITEMS, 2), np.float32)
    np.testing.assert_allclose(found, plain_rhythm(users, moment), rtol=1e-5)


@given(USERS, MOMENT)
def test_nothing_at_or_after_the_moment_counts(users, moment):
    earlier = [[event for event in user if event[0] < moment] for user in users]
    whole, cut = (log_of(in_days(some)) for some in (users, earlier))
    np.testing.assert_array_equal(
        rhythm(whole, ITEMS, moment * DAY), rhythm(cut, ITEMS, moment * DAY)
    )


def test_a_known_rhythm():
    # Item 0 three days apart and again a day later, item 1 never again.
    log = log_of(in_days([[(0, 0, 0), (3, 0, 1), (4, 0, 0)], [(0, 1, 0), (9, 1, 0)]]))
    usual = (math.log(4) + math.log(2)) / 2
    expected = [[usual, (2 + 5 * 0.5) / (3 + 5)], [usual, 5 * 0.5 / (1 + 5)]]
    np.testing.assert_allclose(rhythm(log, 2, 9 * DAY), expected, rtol=1e-6)


@pytest.mark.parametrize("users", [[], [[]], [[(5, 0, 0)]]])
def test_a_shop_without_a_past_has_no_rhythm(users):
    assert rhythm(log_of(users), 3, 5).tolist() == [[0, 0]] * 3


PAIRS = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.floats(0, 100)), max_size=5),
    min_size=1,
    max_size=5,
)


def co_purchases(partners):
    pairs = [pair for row in partners for pair in row]
    counts = [len(row) for row in partners]
    return CoPurchases(
        row_splits=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        other=np.array([other for other, _ in pairs], np.int32),
        lift=np.array([lift for _, lift in pairs], np.float64),
        baskets=np.ones(len(pairs), np.int64),
    )


@given(PAIRS, st.integers(1, 6))
def test_the_first_partners_stay_and_the_rest_is_padded(partners, width):
    expected = np.full((len(partners), width), NOTHING)
    lifts = np.zeros((len(partners), width))
    for item, row in enumerate(partners):
        for place, (other, lift) in enumerate(row[:width]):
            expected[item, place] = other
            lifts[item, place] = math.log(1 + lift)
    found, lift = partner_tables(co_purchases(partners), width)
    assert (found.dtype, lift.dtype) == (np.int32, np.float32)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(lift, lifts, rtol=1e-6, atol=1e-7)


def test_how_often_a_pair_was_bought_changes_nothing():
    once = co_purchases([[(1, 2.0)], [(0, 2.0)]])
    often = dataclasses.replace(once, baskets=once.baskets * 9)
    for one, other in zip(
        partner_tables(once, 3), partner_tables(often, 3), strict=True
    ):
        np.testing.assert_array_equal(one, other)
