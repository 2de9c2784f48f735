import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam.baskets import BasketRule, Purchases, basket_rule, baskets_of
from beam.tables import Column, TablePlan, Values
from tests.unit.beam.basket_loops import loop_baskets
from tfrs_app.contract.data_config import CoPurchasesConfig
from tfrs_app.contract.errors import DataError

HOUR = 3600
A, B, C, D = range(4)
PURCHASES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 6),
        st.integers(-3 * 24, 20 * 24).map(lambda hour: hour * HOUR),
        st.none() | st.integers(0, 4),
    ),
    max_size=40,
)


def purchases(rows, *, column=True):
    """Rows (user, item, second, session) as arrays, sorted as a shard's events are."""
    rows = sorted(rows, key=lambda row: (row[0], row[2], row[1]))
    session = [-1 if row[3] is None else row[3] for row in rows]
    columns = [np.array([row[i] for row in rows], dtype=np.int64) for i in range(3)]
    codes = np.array(session, dtype=np.int64) if column else None
    return Purchases(*columns, codes)


def found(rows, *, sessions=True, hours=24.0, largest=200, column=True):
    rule = BasketRule(sessions, hours * HOUR, largest)
    baskets = baskets_of(purchases(rows, column=column), rule)
    sets = [set() for _ in range(baskets.count)]
    for basket, item in zip(baskets.basket, baskets.item, strict=True):
        assert item not in sets[basket]
        sets[basket].add(int(item))
    return sets, baskets


def test_a_session_is_a_basket_however_long_it_lasts():
    rows = [(0, A, 0, 1), (0, B, 90 * HOUR, 1), (0, B, 1, 2), (1, C, 0, 1)]
    sets, _ = found([*rows, (0, A, 5, 1)])
    assert sorted(map(sorted, sets)) == [[A, B], [B], [C]]


def test_a_window_starts_with_its_first_event_and_holds_its_end():
    hours = [0, 12, 24, 25, 48, 49, 50]  # 24 and 49 are the last of their windows
    rows = [(0, i, hour * HOUR, None) for i, hour in enumerate(hours)]
    sets, _ = found(rows)
    assert sets == [{0, 1, 2}, {3, 4, 5}, {6}]


def test_a_purchase_without_session_goes_by_time_among_its_like():
    rows = [(0, A, 0, 1), (0, B, 1, None), (0, C, HOUR, None), (0, D, 99 * HOUR, None)]
    sets, _ = found(rows)
    assert sorted(map(sorted, sets)) == [[A], [B, C], [D]]


def test_within_window_sessions_mean_nothing():
    rows = [(0, A, 0, 1), (0, B, HOUR, 2), (1, C, 0, 1)]
    assert found(rows, sessions=False)[0] == [{A, B}, {C}]
    assert found(rows, sessions=True, column=False)[0] == [{A, B}, {C}]


def test_an_oversize_basket_counts_nowhere_but_in_too_large():
    rows = [(0, i, 0, 1) for i in range(4)] + [(0, A, 0, 2), (0, B, 0, 2)]
    sets, baskets = found([*rows, (0, A, 9, 3)], largest=3)
    assert sorted(map(sorted, sets)) == [[A], [A, B]]
    assert (baskets.count, baskets.too_large) == (2, 1)
    assert found(rows, largest=4)[1].too_large == 0


def test_no_purchase_makes_no_basket():
    assert found([])[0] == []


@given(PURCHASES, st.booleans(), st.sampled_from([0.5, 24.0, 100.0, float("inf")]))
def test_baskets_are_what_a_loop_finds(rows, sessions, hours):
    sets, _ = found(rows, sessions=sessions, hours=hours)
    expected = loop_baskets(rows, hours, sessions)
    assert sorted(map(sorted, sets)) == sorted(map(sorted, expected))


def plan(*names):
    return TablePlan("events", tuple(Column(n, Values.TEXT) for n in names))


@pytest.mark.parametrize(
    ("within", "columns", "expected"),
    [
        (None, ("session_id",), "session"),
        (None, (), "window"),
        ("session", ("session_id",), "session"),
        ("window", ("session_id",), "window"),
    ],
)
def test_the_rule_follows_the_config_and_the_columns(within, columns, expected):
    config = CoPurchasesConfig(within=within, window_hours=2, max_basket=7)
    rule = basket_rule(config, plan(*columns))
    assert rule.within == expected
    assert (rule.window_s, rule.max_basket) == (7200, 7)


def test_sessions_without_a_column_are_the_users_mistake():
    config = CoPurchasesConfig(within="session")
    with pytest.raises(DataError, match=r"within: 'session' needs .*; map data.events"):
        basket_rule(config, plan())
