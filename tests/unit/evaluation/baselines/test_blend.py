import itertools

import numpy as np
import pytest

from tests.unit.evaluation.baselines.shops import asked
from tfrs_app.evaluation.baselines.blend import (
    Blend,
    divisions,
    normalised,
    tune_weights,
)
from tfrs_app.evaluation.protocol import Target
from tfrs_app.evaluation.ranking import evaluate

USERS = [[(1, 0, 1)], [(1, 1, 1)], [(2, 2, 1)]]
"""In the future of shops.asked, user n buys item n + 1."""


class Fixed:
    def __init__(self, table):
        self.table = np.array(table, float)

    def scores(self, question, rows):
        return self.table[question.user[rows]]


A = Fixed([[4, 2, 0, 0, 0], [1, 8, 2, 0, 0], [-1, -2, -3, -4, -5]])
B = Fixed([[0, 0, 0, 0, 1], [0, 0, 0, 5, 10], [0, 0, 0, 2, 2]])


def test_each_part_is_divided_by_the_users_largest():
    _, question = asked(USERS)
    blend = Blend((A, B), (0.25, 0.75))
    expected = [
        [0.25, 0.125, 0, 0, 0.75],
        [0.25 / 8, 0.25, 0.5 / 8, 0.375, 0.75],
        [-0.25, -0.5, -0.75, -1 + 0.75, -1.25 + 0.75],
    ]
    np.testing.assert_allclose(blend.scores(question, slice(0, 3)), expected)
    np.testing.assert_allclose(blend.scores(question, slice(1, 3)), expected[1:])


def test_a_part_without_weight_is_left_out():
    _, question = asked(USERS)
    only = Blend((A, B), (0.0, 1.0)).scores(question, slice(0, 3))
    np.testing.assert_allclose(only, normalised(B, question, slice(0, 3)))


def test_what_may_not_be_listed_is_not_the_largest():
    _, question = asked(USERS, Target.FIRST_PURCHASE)  # user 0 had item 0
    assert normalised(A, question, slice(0, 1)).tolist() == [[0, 1, 0, 0, 0]]
    assert A.table[0, 0] == 4


@pytest.mark.parametrize(("parts", "units"), [(1, 3), (2, 4), (3, 5), (4, 2)])
def test_every_division_of_the_weight_is_tried_once(parts, units):
    expected = {
        tuple(n / units for n in row)
        for row in itertools.product(range(units + 1), repeat=parts)
        if sum(row) == units
    }
    found = list(divisions(parts, units))
    assert len(found) == len(expected)
    assert set(found) == expected


def test_the_best_weights_are_those_of_the_best_blend():
    # The truth is items 1, 2, 3: one part knows users 0 and 1, the other user 2.
    knows_some = Fixed([[0, 3, 0, 2, 1], [0, 0, 3, 2, 1], [0, 0, 3, 0, 1]])
    knows_other = Fixed([[1, 0, 3, 2, 0], [0, 2, 1, 3, 0], [0, 0, 0, 9, 1]])
    _, question = asked(USERS)
    parts = (knows_some, knows_other)
    weights, ndcg = tune_weights(parts, question, 2)
    tried = {
        pair: evaluate(Blend(parts, pair), question, (2,))["ndcg@2"]
        for pair in divisions(2, 5)
    }
    assert ndcg == pytest.approx(max(tried.values()))
    assert tried[weights] == pytest.approx(ndcg)
    assert len(set(tried.values())) > 1
