"""iALS: matrix factorisation for implicit feedback, by the package `implicit`.

Source: Hu, Koren and Volinsky 2008, https://doi.org/10.1109/ICDM.2008.22.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question

ITERATIONS = 15
MOST_ITEMS = 30_000
"""Items with most users that get factors; those of few users' items tell nothing."""
SEED = 42


@dataclass(frozen=True)
class Ials:
    """Scores by the product of the factors of user and item.

    Args:
        past: what is known.
        user_factors: float32 `[users, factors]`.
        item_factors: float32 `[items, factors]`; items without events have zeros.
    """

    past: Past
    user_factors: np.ndarray
    item_factors: np.ndarray

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        scores: np.ndarray = (
            self.user_factors[question.user[rows]] @ self.item_factors.T
        )
        return scores


def fit_ials(
    past: Past,
    half_life_days: float | None,
    factors: int,
    regularization: float,
    alpha: float,
) -> Ials:
    """Fits the factors on confidences of alpha times a pair's decayed weight."""
    from implicit.cpu.als import AlternatingLeastSquares

    confidences = past.interactions(half_life_days)
    known = past.most_had(MOST_ITEMS)
    # implicit runs threads of its own, each of which would start BLAS's.
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=ITERATIONS,
            num_threads=os.cpu_count() or 1,
            random_state=SEED,
        )
        model.fit(confidences[:, known], show_progress=False)
    item_factors = np.zeros((past.items, factors), np.float32)
    item_factors[known] = model.item_factors
    return Ials(past, model.user_factors, item_factors)
