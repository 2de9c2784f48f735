import numpy as np

from tests.unit.evaluation.baselines.shops import ITEMS, asked, everybody, summed
from tfrs_app.evaluation.baselines import ials
from tfrs_app.evaluation.baselines.ials import fit_ials

CHECKERBOARD = [
    [(1, user % 2, 1), (2, 2 + user % 2, 1)][: 1 if user < 2 else 2]
    for user in range(12)
]
"""Even users have items 0 and 2, odd ones 1 and 3; the first two lack the second."""


def loss(user_factors, item_factors, table, alpha, regularization):
    """Hu, Koren and Volinsky's objective with confidences alpha r, from loops."""
    total = 0.0
    for u, row in enumerate(table):
        for i, value in enumerate(row):
            guess = float(user_factors[u] @ item_factors[i])
            wanted, confidence = (1.0, alpha * value) if value else (0.0, 1.0)
            total += confidence * (wanted - guess) ** 2
    return total + regularization * (
        float((user_factors**2).sum()) + float((item_factors**2).sum())
    )


def test_like_users_like_the_same():
    past, question = asked(CHECKERBOARD)
    scores = everybody(fit_ials(past, None, 2, 0.1, 5.0), question)
    assert scores[0, 2] > scores[0, 3]
    assert scores[1, 3] > scores[1, 2]
    assert (scores[:, 4] == 0).all()  # nobody ever had item 4


def test_the_factors_are_near_a_minimum_of_the_loss():
    past, _ = asked(CHECKERBOARD)
    fitted = fit_ials(past, None, 2, 0.5, 3.0)
    table = summed(CHECKERBOARD, None)
    found = loss(fitted.user_factors, fitted.item_factors, table, 3.0, 0.5)
    rng = np.random.default_rng(1)
    for _ in range(20):
        step = rng.normal(size=fitted.item_factors.shape) * 0.1
        moved = loss(fitted.user_factors, fitted.item_factors + step, table, 3.0, 0.5)
        assert moved > found


def test_the_same_seed_gives_the_same_scores():
    first, question = asked(CHECKERBOARD)
    second, _ = asked(CHECKERBOARD)
    one = everybody(fit_ials(first, 7.0, 2, 0.1, 5.0), question)
    np.testing.assert_array_equal(
        one, everybody(fit_ials(second, 7.0, 2, 0.1, 5.0), question)
    )


def test_of_too_many_items_those_with_most_users_have_factors(monkeypatch):
    monkeypatch.setattr(ials, "MOST_ITEMS", 3)
    past, _ = asked([*CHECKERBOARD, [(1, 0, 1)], [(1, 1, 1), (2, 3, 1)]])
    factors = fit_ials(past, None, 2, 0.1, 5.0).item_factors
    assert factors.shape == (ITEMS, 2)
    assert np.flatnonzero(np.abs(factors).sum(axis=1)).tolist() == [0, 1, 3]
