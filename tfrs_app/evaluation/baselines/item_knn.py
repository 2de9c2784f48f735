"""Item-kNN: a history votes for the nearest neighbours of its items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question

MOST_NEIGHBOURS = 100
MOST_ITEMS = 10_000
"""Items with most users that have neighbours: their pairs still take seconds."""
ITEMS_A_STEP = 512


@dataclass(frozen=True)
class ItemKnn:
    """Sums, over a decayed history, the similarity of each candidate.

    Args:
        past: what is known.
        similarity: float32 `[items, items]`, row i holds the neighbours of i.
        half_life_days: age at which an event of the history counts half.
    """

    past: Past
    similarity: sp.csr_matrix
    half_life_days: float | None

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        queries = self.past.queries(question, rows, self.half_life_days)
        scores: np.ndarray = (queries @ self.similarity).toarray()
        return scores


def fit_item_knn(
    past: Past,
    half_life_days: float | None,
    shrinkage: float,
    neighbours: int,
    query_half_life_days: float | None,
) -> ItemKnn:
    """Fits the similarities, shrunk where few users had both items.

    Args:
        past: what is known.
        half_life_days: age at which an event counts half in the similarities.
        shrinkage: added to the cosine's denominator.
        neighbours: kept for each item, at most MOST_NEIGHBOURS.
        query_half_life_days: age at which an event of the history counts half.
    """
    nearest = past.latest(
        "item_knn",
        (half_life_days, shrinkage),
        lambda: _nearest(past, half_life_days, shrinkage),
    )
    similarity = past.latest(
        "item_knn_cut",
        (half_life_days, shrinkage, neighbours),
        lambda: _cut(nearest, neighbours, past.items),
    )
    return ItemKnn(past, similarity, query_half_life_days)


@dataclass(frozen=True)
class Neighbours:
    """Holds each item's nearest items, best first.

    Args:
        items: int64 `[n]`, catalogue rows.
        nearest: int64 `[n, k]`, catalogue rows.
        similarity: float32 `[n, k]`, 0 where there are fewer.
    """

    items: np.ndarray
    nearest: np.ndarray
    similarity: np.ndarray


def _nearest(past: Past, half_life_days: float | None, shrinkage: float) -> Neighbours:
    """Finds the highest shrunk cosines x_i x_j / (|x_i| |x_j| + s) of items' users."""
    items = past.most_had(MOST_ITEMS)
    by_user = past.strengths(half_life_days)[:, items]
    by_item = by_user.T.tocsr()
    norm = np.sqrt(np.asarray(by_user.multiply(by_user).sum(axis=0)).ravel())
    norm = norm.astype(np.float32)
    k = min(MOST_NEIGHBOURS, len(items))
    nearest = np.zeros((len(items), k), np.int64)
    similarity = np.zeros((len(items), k), np.float32)
    for start in range(0, len(items), ITEMS_A_STEP):
        step = slice(start, start + ITEMS_A_STEP)
        block = (by_item[step] @ by_user).toarray()
        block /= norm[step, np.newaxis] * norm + np.float32(shrinkage)
        own = np.arange(len(block))
        block[own, start + own] = 0.0
        best = _largest(block, k)
        nearest[step] = items[best]
        similarity[step] = np.take_along_axis(block, best, axis=1)
    return Neighbours(items, nearest, similarity)


def _largest(block: np.ndarray, k: int) -> np.ndarray:
    """Returns the columns of the k largest values of each row, largest first."""
    best = np.argpartition(-block, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(block, best, axis=1), axis=1, kind="stable")
    largest: np.ndarray = np.take_along_axis(best, order, axis=1)
    return largest


def _cut(neighbours: Neighbours, k: int, items: int) -> sp.csr_matrix:
    """Returns the k nearest as a matrix, float32 `[items, items]`."""
    similarity = neighbours.similarity[:, :k]
    own = np.repeat(neighbours.items, similarity.shape[1])
    matrix = sp.csr_matrix(
        (similarity.ravel(), (own, neighbours.nearest[:, :k].ravel())),
        shape=(items, items),
        dtype=np.float32,
    )
    matrix.eliminate_zeros()
    return matrix
