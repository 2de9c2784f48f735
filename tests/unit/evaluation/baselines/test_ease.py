import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation.baselines.shops import (
    ITEMS,
    USERS,
    asked,
    clipped,
    everybody,
    summed,
)
from tfrs_app.evaluation.baselines import ease
from tfrs_app.evaluation.baselines.ease import ItemWeights, UserWeights, fit_ease


def inverted(matrix):
    """Gauss-Jordan with plain loops."""
    size = len(matrix)
    rows = [
        [*row, *(float(i == j) for j in range(size))] for i, row in enumerate(matrix)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for r in range(size):
            if r != i:
                rows[r] = [
                    a - rows[r][i] * b for a, b in zip(rows[r], rows[i], strict=True)
                ]
    return [row[size:] for row in rows]


def textbook(x, regularization):
    """B_ij = -P_ij / P_jj, 0 on the diagonal, as in the paper."""
    items = len(x[0])
    gram = [
        [
            sum(row[i] * row[j] for row in x) + (regularization if i == j else 0.0)
            for j in range(items)
        ]
        for i in range(items)
    ]
    p = inverted(gram)
    return [
        [0.0 if i == j else -p[i][j] / p[j][j] for j in range(items)]
        for i in range(items)
    ]


SIX_USERS = [
    [1, 1, 0, 0, 0],
    [1, 1, 1, 0, 0],
    [0, 1, 1, 0, 1],
    [0, 0, 0, 1, 1],
    [1, 0, 0, 1, 0],
    [0, 1, 1, 0, 0],
]


@pytest.mark.parametrize("regularization", [0.5, 10.0])
@pytest.mark.parametrize("by", ["items", "users"])
def test_both_ways_give_the_textbooks_weights(by, regularization):
    pairs = sp.csr_matrix(np.array(SIX_USERS, np.float32))
    if by == "items":
        weights = ItemWeights(pairs, regularization, np.arange(5))
    else:
        weights = UserWeights(pairs, regularization)
    unit = sp.csr_matrix(np.eye(5, dtype=np.float32))
    expected = textbook(SIX_USERS, regularization)
    np.testing.assert_allclose(weights.times(unit), expected, atol=2e-6)


@settings(deadline=None)
@given(USERS, st.sampled_from([None, 6.0]))
def test_a_decayed_history_is_multiplied_by_the_weights_of_decayed_users(users, half):
    """Random shops have fewer or more users than items, so both ways are taken."""
    past, question = asked(users)
    table = clipped(summed(users, half))
    b = textbook(table, 2.0)
    expected = [
        [sum(row[i] * b[i][j] for i in range(ITEMS)) for j in range(ITEMS)]
        for row in table
    ]
    scores = everybody(fit_ease(past, half, 2.0), question)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_the_smaller_matrix_is_inverted():
    one, _ = asked([[(1, 0, 1), (1, 1, 1)]])
    assert isinstance(fit_ease(one, None, 1.0).weights, UserWeights)
    many, _ = asked([[(1, 0, 1), (1, 1, 1)]] * 6)
    assert isinstance(fit_ease(many, None, 1.0).weights, ItemWeights)


def test_of_too_many_items_those_with_most_users_take_part(monkeypatch):
    monkeypatch.setattr(ease, "LARGEST_INVERSE", 2)
    users = [[(1, 3, 1), (1, 4, 1)]] * 3 + [[(1, 0, 1), (1, 3, 1), (1, 4, 1)]]
    past, question = asked(users)
    scores = everybody(fit_ease(past, None, 1.0), question)
    assert (scores[:, :3] == 0).all()
    b = textbook([[1, 1]] * 4, 1.0)
    np.testing.assert_allclose(scores[0, 3:], [b[1][0], b[0][1]], atol=1e-6)


def test_steps_do_not_matter(monkeypatch):
    pairs = sp.csr_matrix(np.array(SIX_USERS, np.float32))
    whole = UserWeights(pairs, 2.0).times(pairs)
    monkeypatch.setattr(ease, "ITEMS_A_STEP", 2)
    np.testing.assert_allclose(UserWeights(pairs, 2.0).times(pairs), whole, rtol=1e-5)


def test_no_inverse_is_told():
    pairs = sp.csr_matrix(np.array(SIX_USERS, np.float32))
    with pytest.raises(ArithmeticError, match="no inverse"):
        ItemWeights(pairs, -100.0, np.arange(5))
