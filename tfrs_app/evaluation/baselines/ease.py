"""EASE: a linear item-to-item model in closed form.

Source: Steck 2019, https://arxiv.org/abs/1905.03375. With X `[users, items]` and
P = (X'X + lambda I)^-1 the model is B = I - P / diag(P); a history q scores q B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from scipy.linalg.lapack import spotrf, spotri

from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question

LARGEST_INVERSE = 10_000
"""Rows of the largest matrix that is inverted: 400 MB, a minute on two cores."""
ITEMS_A_STEP = 4096


class Weights(Protocol):
    """Multiplies histories by the item-item weights B."""

    def times(self, queries: sp.csr_matrix) -> np.ndarray:
        """Returns queries @ B, float32 `[users, items]`."""


class ItemWeights:
    """Inverts the item-item matrix itself: right for fewer items than users.

    Args:
        pairs: float32 `[users, items]`.
        regularization: lambda.
        columns: int64, the catalogue rows that take part; others score 0.
    """

    def __init__(
        self, pairs: sp.csr_matrix, regularization: float, columns: np.ndarray
    ) -> None:
        self._items = pairs.shape[1]
        self._columns = columns
        known = pairs[:, columns]
        inverse = _inverse((known.T @ known).toarray(), regularization)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self._weights = weights

    def times(self, queries: sp.csr_matrix) -> np.ndarray:
        """Returns queries @ B, float32 `[users, items]`."""
        scores = np.zeros(queries.shape, np.float32)
        scores[:, self._columns] = queries[:, self._columns].toarray() @ self._weights
        return scores


class UserWeights:
    """Inverts the user-user matrix: the same B by Woodbury's identity, for few users.

    P = (I - X' M X) / lambda with M = (X X' + lambda I)^-1 `[users, users]`, so the
    item-item matrix is never made and every item of the catalogue takes part.
    """

    def __init__(self, pairs: sp.csr_matrix, regularization: float) -> None:
        by_item = pairs.T.tocsr()
        inverse = _inverse((pairs @ pairs.T).toarray(), regularization)
        # x' M x of each item's column x of users: P's diagonal is (1 - that) / lambda.
        explained = np.concatenate(
            [
                np.asarray(rows.multiply(rows @ inverse).sum(axis=1)).ravel()
                for rows in _steps(by_item)
            ]
        )
        self._by_item, self._inverse = by_item, inverse
        self._unexplained = (1.0 - explained).astype(np.float32)

    def times(self, queries: sp.csr_matrix) -> np.ndarray:
        """Returns queries @ B, float32 `[users, items]`."""
        likeness = (queries @ self._by_item).toarray() @ self._inverse
        by_user = np.ascontiguousarray(likeness.T)  # [users of X, users]
        scores = np.empty(queries.shape, np.float32)
        for step, rows in enumerate(_steps(self._by_item)):
            start = step * ITEMS_A_STEP
            scores[:, start : start + ITEMS_A_STEP] = (rows @ by_user).T
        scores /= self._unexplained
        own = np.repeat(np.arange(queries.shape[0]), np.diff(queries.indptr))
        itself = queries.data * (1.0 - 1.0 / self._unexplained[queries.indices])
        scores[own, queries.indices] += itself
        return scores


@dataclass(frozen=True)
class Ease:
    """Scores by what explains each item best, given all others.

    Args:
        past: what is known.
        weights: the fitted model.
        half_life_days: age at which an event of the history counts half.
    """

    past: Past
    weights: Weights
    half_life_days: float | None

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        # Clipped as the fitted users are: the model knows no repetitions.
        queries = self.past.queries(question, rows, self.half_life_days, clipped=True)
        return self.weights.times(queries)


def fit_ease(past: Past, half_life_days: float | None, regularization: float) -> Ease:
    """Fits EASE on who had what, and when; old events count less on both sides."""

    def fitted() -> Weights:
        strengths = past.strengths(half_life_days)
        columns = past.most_had(LARGEST_INVERSE)
        active = np.flatnonzero(np.diff(strengths.indptr))
        if len(active) < len(columns):
            return UserWeights(strengths[active], regularization)
        return ItemWeights(strengths, regularization, columns)

    weights = past.latest("ease", (half_life_days, regularization), fitted)
    return Ease(past, weights, half_life_days)


def _steps(by_item: sp.csr_matrix) -> list[sp.csr_matrix]:
    starts = range(0, by_item.shape[0], ITEMS_A_STEP)
    return [by_item[start : start + ITEMS_A_STEP] for start in starts]


def _inverse(gram: np.ndarray, regularization: float) -> np.ndarray:
    """Returns (gram + lambda I)^-1 of a symmetric matrix without negative values."""
    gram[np.diag_indices_from(gram)] += regularization
    factor, failed = spotrf(gram, lower=True, overwrite_a=True, clean=True)
    if not failed:
        factor, failed = spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise ArithmeticError(f"EASE: no inverse with regularization {regularization}")
    inverse: np.ndarray = np.tril(factor) + np.tril(factor, -1).T
    return inverse
