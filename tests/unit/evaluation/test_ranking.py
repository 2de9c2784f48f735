import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import log_of
from tfrs_app.evaluation import ranking
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate, ranked_lists, top_k

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
    assert evaluate(Fixed([0] * 5), ask(LOG, Target.ALL, 100, None), (3,)) == {
        "recall@3": 0.0,
        "ndcg@3": 0.0,
    }


def test_many_users_are_ranked_step_by_step():
    users = ranking.USERS_A_STEP * 2 + 3
    log = log_of([[(1, n % 5, 1), (9, (n + 1) % 5, 1)] for n in range(users)])
    question = ask(log, Target.FIRST_PURCHASE, 5, None)
    lists = ranked_lists(Fixed([1, 2, 3, 4, 5]), question, 5)
    for user in range(users):
        kept = [n for n in (4, 3, 2, 1, 0) if n != user % 5]
        assert lists[user].tolist() == [*kept, -1]
