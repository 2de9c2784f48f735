import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of, rows_of
from tfrs_app.data.event_log import NEVER


def test_a_basket_does_not_see_itself():
    log = log_of([[(1, 0, 0), (5, 1, 0), (5, 2, 0), (6, 3, 0)]])
    assert log.history_end().tolist() == [0, 1, 1, 3]


def test_users_of_the_same_moment_are_told_apart():
    log = log_of([[(5, 0, 0)], [(5, 1, 0), (5, 2, 0)], [(5, 3, 0)]])
    assert log.history_end().tolist() == [0, 1, 1, 3]
    assert log.user.tolist() == [0, 1, 1, 2]


def test_an_empty_log():
    log = log_of([])
    assert log.users == 0
    assert log.history_end().tolist() == []
    assert log.before(5).tolist() == []
    assert log.span(None, 5).tolist() == []


@given(USERS)
def test_history_end_is_behind_the_last_strictly_earlier_event(users):
    rows = rows_of(users)
    expected = []
    for user, _, time, *_ in rows:
        first = next(r[1] for r in rows if r[0] == user)
        expected.append(first + sum(r[0] == user and r[2] < time for r in rows))
    assert log_of(users).history_end().tolist() == expected


@given(USERS, st.integers(-1, 8))
def test_before_counts_each_users_earlier_events(users, moment):
    rows, expected, first = rows_of(users), [], 0
    for user, events in enumerate(users):
        expected.append(first + sum(r[0] == user and r[2] < moment for r in rows))
        first += len(events)
    assert log_of(users).before(moment).tolist() == expected


@given(USERS, st.lists(st.integers(-3, 12)))
def test_before_each_agrees_with_before(users, moments):
    log = log_of(users)
    pairs = [(user, moment) for user in range(log.users) for moment in moments]
    user, moment = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = [log.before(moment)[user] for user, moment in pairs]
    assert log.before_each(user, moment).tolist() == expected


@given(
    USERS,
    st.none() | st.integers(-1, 8),
    st.none() | st.integers(-1, 8),
)
def test_span_holds_its_start_and_not_its_end(users, start, end):
    expected = [
        (start is None or time >= start) and (end is None or time < end)
        for _, _, time, *_ in rows_of(users)
    ]
    assert log_of(users).span(start, end).tolist() == expected


def test_users_without_events_own_nothing():
    log = log_of([[], [(1, 0, 0), (2, 0, 0)], [], [(2, 1, 0)], []])
    assert log.users == 5
    assert log.history_end().tolist() == [0, 0 + 1, 2]
    assert log.before(2).tolist() == [0, 1, 2, 2, 3]
    np.testing.assert_array_equal(log.user, [1, 1, 3])


@given(USERS)
def test_previous_is_when_the_user_last_had_the_item(users):
    rows, expected = rows_of(users), []
    for user, position, _, item, _ in rows:
        earlier = [
            r[2] for r in rows if r[0] == user and r[3] == item and r[1] < position
        ]
        expected.append(earlier[-1] if earlier else NEVER)
    assert log_of(users).previous.tolist() == expected


@given(USERS)
def test_repeated_is_what_the_user_had_at_an_earlier_moment(users):
    rows = rows_of(users)
    expected = [
        any(r[0] == user and r[3] == item and r[2] < time for r in rows)
        for user, _, time, item, _ in rows
    ]
    assert log_of(users).repeated.tolist() == expected


@given(
    USERS,
    st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 6), st.integers(-3, 9))),
    st.integers(0, 1),
    st.integers(1, 5),
)
def test_follows_is_what_happens_soon_after(users, asked, kind, within):
    asked = [(user % len(users), item, moment) for user, item, moment in asked]
    expected = [
        any(
            (user, item, kind) == (r[0], r[3], r[4]) and 0 <= r[2] - moment < within
            for r in rows_of(users)
        )
        for user, item, moment in asked
    ]
    columns = np.array(asked, np.int64).reshape(-1, 3).T
    assert log_of(users).follows(kind, *columns, within).tolist() == expected


def test_follows_tells_tables_of_items():
    log = log_of([[(5, 1, 1), (9, 2, 1)], [(6, 1, 1)]])
    user, moment = np.array([[0], [1]]), np.array([[5], [7]])
    item = np.array([[1, 2, -1], [1, 2, -1]])
    found = log.follows(1, user, item, moment, 4)
    assert found.tolist() == [[True, False, False], [False, False, False]]


def test_in_a_basket_an_item_follows_itself_but_repeats_nothing():
    log = log_of([[(5, 1, 0), (5, 1, 1), (6, 2, 0)], [(7, 1, 0)]])
    assert log.previous.tolist() == [NEVER, 5, NEVER, NEVER]
    assert log.repeated.tolist() == [False] * 4
    assert log.weight.tolist() == [0.5, 1.0, 0.5, 0.5]
    assert log.bought.tolist() == [False, True, False, False]


def test_no_events_have_neither_previous_nor_repeated():
    assert log_of([]).previous.tolist() == log_of([]).repeated.tolist() == []
