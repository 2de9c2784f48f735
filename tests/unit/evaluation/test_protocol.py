import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tfrs_app.evaluation.protocol import Target, ask

PURCHASE = 1  # log_of gives type 1 the larger weight


def plain(users, first_purchase, start, end):
    """user -> (targets, excluded, number of earlier events), from Python sets."""
    asked = {}
    for user, events in enumerate(users):
        past = [e for e in events if e[0] < start]
        window = [e for e in events if e[0] >= start and (end is None or e[0] < end)]
        had = {item for _, item, kind in past if kind == PURCHASE}
        wanted = {item for _, item, kind in window if kind == PURCHASE}
        if first_purchase:
            wanted -= had
        if past and wanted:
            asked[user] = (wanted, had if first_purchase else set(), len(past))
    return asked


def sets_of(item_sets):
    splits = item_sets.splits.tolist()
    return [item_sets.items[a:b].tolist() for a, b in itertools.pairwise(splits)]


@pytest.mark.parametrize("target", list(Target))
@given(users=USERS, start=st.integers(-1, 8), length=st.none() | st.integers(1, 8))
def test_questions_agree_with_python_sets(target, users, start, length):
    end = None if length is None else start + length
    log = log_of(users)
    question = ask(log, target, start, end)
    expected = plain(users, target is Target.FIRST_PURCHASE, start, end)
    assert question.user.tolist() == sorted(expected)
    assert question.moment_s == start
    targets, excluded = sets_of(question.targets), sets_of(question.excluded)
    assert len(targets) == len(excluded) == len(expected)
    for row, user in enumerate(sorted(expected)):
        wanted, had, earlier = expected[user]
        assert sorted(targets[row]) == sorted(wanted)
        assert sorted(excluded[row]) == sorted(had)
        first = log.row_splits[user]
        assert question.history_start[row] == first
        assert question.history_end[row] == first + earlier
    assert question.targets.sizes.tolist() == [len(t) for t in targets]


LOG = log_of([[(1, 0, 1), (5, 0, 1), (5, 2, 0)], [(5, 1, 1)], [(2, 1, 0), (6, 1, 1)]])


def test_views_are_history_but_no_targets():
    question = ask(LOG, Target.FIRST_PURCHASE, 5, None)
    assert question.user.tolist() == [2]  # a view of 1 is no purchase of it
    assert sets_of(question.targets) == [[1]]
    assert sets_of(question.excluded) == [[]]


def test_a_bought_item_is_no_first_purchase():
    assert sets_of(ask(LOG, Target.ALL, 5, 6).targets) == [[0]]
    assert ask(LOG, Target.FIRST_PURCHASE, 5, 6).user.tolist() == []


def test_rows_pairs_positions_with_items():
    users = [[(1, n, 1), (5, 4 - n, 1), (6, n, 1)] for n in range(2)]
    position, item = ask(log_of(users), Target.ALL, 5, None).targets.rows(slice(1, 2))
    assert position.tolist() == [0, 0]
    assert sorted(item.tolist()) == [1, 3]


@given(users=USERS, kept=st.sets(st.integers(0, 4)))
def test_a_question_among_some_items_asks_for_those_only(users, kept):
    whole = ask(log_of(users), Target.FIRST_PURCHASE, 3, None)
    part = whole.among(np.array([item in kept for item in range(5)]))
    expected = {
        user: (sorted(kept & set(targets)), excluded)
        for user, targets, excluded in zip(
            whole.user.tolist(),
            sets_of(whole.targets),
            sets_of(whole.excluded),
            strict=True,
        )
        if kept & set(targets)
    }
    assert part.user.tolist() == list(expected)
    assert sets_of(part.targets) == [targets for targets, _ in expected.values()]
    assert sets_of(part.excluded) == [excluded for _, excluded in expected.values()]
    ends = dict(zip(whole.user.tolist(), whole.history_end.tolist(), strict=True))
    assert part.history_end.tolist() == [ends[user] for user in expected]
    assert part.moment_s == whole.moment_s
    assert set(np.flatnonzero(part.candidates).tolist()) == kept
