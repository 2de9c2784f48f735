import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.slices import head_of, slices_of

PURCHASE = 1


def pairs_of(question):
    bounds = itertools.pairwise(question.targets.splits.tolist())
    return {
        (user, item)
        for user, (a, b) in zip(question.user.tolist(), bounds, strict=True)
        for item in question.targets.items[a:b].tolist()
    }


def asked(users, target=Target.ALL, moment=4):
    log = log_of(users)
    question = ask(log, target, moment, None)
    return question, slices_of(question, Past.of(log, moment, 5))


@given(USERS)
def test_item_slices_part_the_targets(users):
    question, slices = asked(users)
    found = {part.name: pairs_of(part.question) for part in slices}
    events = [e for user in users for e in user if e[0] < 4]
    known = {item for _, item, _ in events}
    whole = pairs_of(question)
    assert found["cold_items"] == {pair for pair in whole if pair[1] not in known}
    assert found["warm_items"] == whole - found["cold_items"]
    assert found["head_items"] | found["tail_items"] == found["warm_items"]
    assert not found["head_items"] & found["tail_items"]
    had = {
        (user, item)
        for user, row in enumerate(users)
        for time, item, kind in row
        if time < 4 and kind == PURCHASE
    }
    assert found["repeat"] == whole & had
    assert found["first"] == whole - had


@given(USERS)
def test_the_rows_of_the_lists_are_those_of_the_slices_users(users):
    question, slices = asked(users)
    for part in slices:
        assert question.user[part.users].tolist() == part.question.user.tolist()


def test_users_are_parted_by_the_length_of_their_history():
    users = [[*((n, 0, 1) for n in range(length)), (9, 1, 1)] for length in range(1, 9)]
    _, slices = asked(users, moment=9)
    found = {part.name: part.question.user.tolist() for part in slices}
    assert found["short_history"] == [0, 1]
    assert found["long_history"] == [6, 7]


def test_first_purchases_are_not_parted_into_repeats():
    _, slices = asked([[(1, 0, 1), (5, 1, 1)]], Target.FIRST_PURCHASE)
    assert not {"repeat", "first"} & {part.name for part in slices}


def test_a_slice_is_measured_on_the_lists_of_the_whole():
    # User 0 finds the known item 1 at rank 2, not the new item 4; user 1 finds 1.
    users = [[(1, 1, 1), (2, 0, 1), (5, 1, 1), (5, 4, 1)], [(1, 0, 1), (5, 1, 1)]]
    _, slices = asked(users)
    lists = np.array([[0, 1, 2], [1, 0, 2]])
    found = {part.name: part.metrics(lists, (1, 2)) for part in slices}
    assert found["cold_items"]["recall@2"] == 0.0
    assert found["warm_items"]["recall@1"] == 0.5
    assert found["warm_items"]["recall@2"] == 1.0


def test_nobody_asked_has_no_user_slices():
    _, slices = asked([[(1, 0, 1)]])
    assert [part.name for part in slices][:1] == ["cold_items"]
    assert all(
        value == 0
        for part in slices
        for value in part.metrics(np.zeros((0, 3), int), (2,)).values()
    )


@given(st.lists(st.integers(0, 6), min_size=1, max_size=7))
def test_the_head_is_the_fewest_items_with_half_of_the_events(events):
    head = head_of(np.array(events))
    total = sum(events)
    assert sum(np.array(events)[head]) * 2 >= total
    fewest = next(
        count
        for count in range(len(events) + 1)
        if sum(sorted(events, reverse=True)[:count]) * 2 >= total
    )
    assert head.sum() == fewest
    if head.any() and not head.all():
        assert min(np.array(events)[head]) >= max(np.array(events)[~head])
