import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import log_of
from tfrs_app.evaluation import ranking
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate, ranked_lists, ranked_lists_of, top_k

SCORE = st.sampled_from([-math.inf, -1.5, 0.0, 1.0, 1.0, 2.0])


@given(st.lists(st.lists(SCORE, min_size=6, max_size=6), max_size=4), st.integers(1, 9))
def test_top_k_is_a_stable_sort_without_the_impossible(rows, k):
    expected = []
    for row in rows:
        possible = [n for n, score in enumerate(row) if score > -math.inf]
        best = sorted(possible, key=lambda n, row=row: (-row[n], n))[:k]
        expected.append(best + [-1] * (min(k, 6) - len(best)))
    answer = top_k(np.array(rows).reshape(-1, 6), k)
    assert answer.shape == (len(rows), min(k, 6))
    assert answer.tolist() == expected


class Fixed:
    """Scores the same numbers for everybody."""

    def __init__(self, scores):
        self.values = np.array(scores, float)

    def scores(self, question, rows):
        return np.broadcast_to(self.values, (len(question.user[rows]), 5))


# Purchases are type 1. u0 had 4 and 3, then buys 2 and again 4; u1 had 0, buys 1.
LOG = log_of(
    [
        [(1, 3, 1), (2, 4, 1), (9, 2, 1), (9, 4, 1)],
        [(1, 0, 1), (9, 1, 1)],
    ]
)


def test_what_a_question_excludes_is_not_listed():
    scorer = Fixed([1, 2, 3, 4, 5])
    everything = ranked_lists(scorer, ask(LOG, Target.ALL, 5, None), 5)
    assert everything.tolist() == [[4, 3, 2, 1, 0]] * 2
    new = ranked_lists(scorer, ask(LOG, Target.FIRST_PURCHASE, 5, None), 5)
    assert new.tolist() == [[2, 1, 0, -1, -1], [4, 3, 2, 1, -1]]
    assert scorer.values.tolist() == [1, 2, 3, 4, 5]


def test_evaluate_averages_over_users():
    found = evaluate(Fixed([1, 2, 3, 4, 5]), ask(LOG, Target.ALL, 5, None), (1, 3))
    assert found["recall@1"] == pytest.approx((1 / 2 + 0) / 2)  # u0: 4 of {2, 4}
    assert found["recall@3"] == pytest.approx((2 / 2 + 0) / 2)
    new = evaluate(
        Fixed([1, 2, 3, 4, 5]), ask(LOG, Target.FIRST_PURCHASE, 5, None), (1,)
    )
    assert new["recall@1"] == pytest.approx((1 + 0) / 2)  # u0: 2 of {2}


def test_nobody_asked():
    found = evaluate(Fixed([0] * 5), ask(LOG, Target.ALL, 100, None), (3,))
    assert set(found.values()) == {0.0}


def test_many_users_are_ranked_step_by_step():
    users = ranking.USERS_A_STEP * 2 + 3
    log = log_of([[(1, n % 5, 1), (9, (n + 1) % 5, 1)] for n in range(users)])
    question = ask(log, Target.FIRST_PURCHASE, 5, None)
    lists = ranked_lists(Fixed([1, 2, 3, 4, 5]), question, 5)
    for user in range(users):
        kept = [n for n in (4, 3, 2, 1, 0) if n != user % 5]
        assert lists[user].tolist() == [*kept, -1]


class Same(Fixed):
    """The same, said to be the same for everybody."""

    def item_scores(self, question):
        return self.values


@pytest.mark.parametrize("k", [1, 2, 5, 9])
@pytest.mark.parametrize("candidates", [None, [0, 1, 1, 0, 1], [0, 0, 0, 0, 0]])
@pytest.mark.parametrize("scores", [[1, 2, 3, 4, 5], [0, 0, 7, -math.inf, 0]])
def test_one_sorting_for_all_gives_the_same_lists(scores, candidates, k):
    question = ask(LOG, Target.FIRST_PURCHASE, 5, None)
    if candidates is not None:
        kept = np.array(candidates, bool)
        question = dataclasses.replace(question, candidates=kept)
    expected = []
    for user in question.user.tolist():
        barred = {0: {3, 4}, 1: {0}}[user]
        open_ = [
            n
            for n, score in enumerate(scores)
            if n not in barred
            and score > -math.inf
            and (candidates is None or candidates[n])
        ]
        expected.append(sorted(open_, key=lambda n: (-scores[n], n))[:k])
    for scorer in (Fixed(scores), Same(scores)):
        lists = ranked_lists(scorer, question, k).tolist()
        assert [[n for n in row if n >= 0] for row in lists] == expected


class Personal:
    """Scores what the user's number says."""

    def scores(self, question, rows):
        user = question.user[rows, np.newaxis]
        return np.where(np.arange(5) == user % 5, 9.0, -np.arange(5.0))


def test_several_questions_share_one_scoring():
    users = ranking.USERS_A_STEP + 40
    # Every third user buys again what they had: those are asked no first purchase.
    log = log_of([[(1, n % 5, 1), (9, (n + (n % 3 > 0)) % 5, 1)] for n in range(users)])
    both = [ask(log, target, 5, None) for target in Target]
    both.append(both[0].among(np.array([1, 0, 0, 1, 1], bool)))
    assert len({len(question.user) for question in both}) == 3
    shared = ranked_lists_of(Personal(), both, 3)
    for lists, question in zip(shared, both, strict=True):
        np.testing.assert_array_equal(lists, ranked_lists(Personal(), question, 3))


def test_questions_that_cannot_share_are_refused():
    both = [ask(LOG, Target.ALL, 5, None), ask(LOG, Target.ALL, 9, None)]
    with pytest.raises(ValueError, match="several moments"):
        ranked_lists_of(Personal(), both, 3)
    whole = ask(LOG, Target.ALL, 5, None)
    part = whole.of(np.array([True, False]))
    with pytest.raises(ValueError, match="first question must ask every user"):
        ranked_lists_of(Personal(), [part, whole], 3)
