"""The blend: a weighted sum of other baselines' normalised scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.ranking import (
    USERS_A_STEP,
    Scorer,
    answers,
    metrics_of,
    top_k,
)

PARTS = ("recently_popular", "personal_frequency", "item_knn", "ease")
"""The baselines that are blended, each as it was tuned by itself."""
POOL = 200
"""Items of each part's list among which weights are tuned."""
STEPS = 5
"""Units into which the total weight of 1 is divided."""


@dataclass(frozen=True)
class Blend:
    """Adds up the parts' scores, each divided by the user's largest.

    Args:
        parts: the scorers.
        weights: one a part.
    """

    parts: Sequence[Scorer]
    weights: Sequence[float]

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        used = [
            (part, np.float32(weight))
            for part, weight in zip(self.parts, self.weights, strict=True)
            if weight
        ]
        first, weight = used[0]
        total = normalised(first, question, rows) * weight
        for part, weight in used[1:]:
            total += normalised(part, question, rows) * weight
        return total


def normalised(part: Scorer, question: Question, rows: slice) -> np.ndarray:
    """Returns scores whose largest is 1 for every user, float32 `[users, items]`.

    What the question excludes does not count as the largest, nor does a score that is
    not above 0.
    """
    scores = np.array(part.scores(question, rows), np.float32)
    scores[question.excluded.rows(rows)] = 0.0
    largest = scores.max(axis=1, keepdims=True)
    scores /= np.where(largest > 0, largest, np.float32(1))
    return scores


def tune_weights(
    parts: Sequence[Scorer], question: Question, k: int
) -> tuple[tuple[float, ...], float]:
    """Returns the weights with the best NDCG@k, and that NDCG.

    Every division of the weight is tried on the POOL best items of each part.
    """
    pool, scores = _pooled(parts, question)
    best, best_ndcg = (1.0, *(0.0 for _ in parts[1:])), -1.0
    for weights in divisions(len(parts), STEPS):
        total = np.tensordot(np.array(weights, np.float32), scores, axes=1)
        chosen = top_k(np.where(pool >= 0, total, -np.inf), k)
        lists = np.where(chosen >= 0, np.take_along_axis(pool, chosen, axis=1), -1)
        ndcg = mean_of(metrics_of(lists, question, (k,)))[f"ndcg@{k}"]
        if ndcg > best_ndcg:
            best, best_ndcg = weights, ndcg
    return best, best_ndcg


def divisions(parts: int, units: int) -> Iterator[tuple[float, ...]]:
    """Yields every way to give all units to parts, as shares of 1."""

    def dealt(left: int, receivers: int) -> Iterator[tuple[int, ...]]:
        if receivers == 1:
            yield (left,)
            return
        for first in range(left + 1):
            for others in dealt(left - first, receivers - 1):
                yield (first, *others)

    for shares in dealt(units, parts):
        yield tuple(share / units for share in shares)


def _pooled(
    parts: Sequence[Scorer], question: Question
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the parts' best items and all parts' scores of them.

    Returns:
        int64 `[users, pool]`, -1 where an item is there already, and float32
        `[parts, users, pool]`.
    """
    pools, scores = [], []
    for start in range(0, len(question.user), USERS_A_STEP):
        rows = slice(start, min(start + USERS_A_STEP, len(question.user)))
        blocks = [normalised(part, question, rows) for part in parts]
        users = question.user[rows]
        best = [answers(block, users, question, POOL) for block in blocks]
        pool = np.sort(np.concatenate(best, axis=1), axis=1)
        taken = [np.take_along_axis(block, pool, axis=1) for block in blocks]
        pool[:, 1:][pool[:, 1:] == pool[:, :-1]] = -1
        pools.append(pool)
        scores.append(np.stack(taken))
    if not pools:
        return np.zeros((0, 1), np.int64), np.zeros((len(parts), 0, 1), np.float32)
    return np.concatenate(pools), np.concatenate(scores, axis=1)
