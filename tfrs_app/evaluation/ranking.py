"""Scores to lists: the best k of the whole catalogue for every user of a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from tfrs_app.evaluation.metrics import hits_of, mean_metrics
from tfrs_app.evaluation.protocol import Question

USERS_A_STEP = 256


class Scorer(Protocol):
    """Scores every catalogue item for users of a question."""

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float `[users, items]` for a slice of the question's users."""


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Returns the best k columns of each row, best first, int64 `[rows, k]`.

    Equal scores are ordered by column; an entry with score -inf becomes -1.
    """
    best = tf.math.top_k(scores, min(k, scores.shape[1]))
    lists: np.ndarray = np.where(
        best.values.numpy() > -np.inf, best.indices.numpy().astype(np.int64), -1
    )
    return lists


def ranked_lists(scorer: Scorer, question: Question, k: int) -> np.ndarray:
    """Returns the best k catalogue rows for every user, int64 `[users, k]`.

    What the question excludes is not listed; a short list ends with -1.
    """
    lists = []
    for start in range(0, len(question.user), USERS_A_STEP):
        rows = slice(start, min(start + USERS_A_STEP, len(question.user)))
        scores = np.array(scorer.scores(question, rows), np.float32)
        scores[question.excluded.rows(rows)] = -np.inf
        lists.append(top_k(scores, k))
    return np.concatenate(lists) if lists else np.zeros((0, k), np.int64)


def evaluate(scorer: Scorer, question: Question, ks: Sequence[int]) -> dict[str, float]:
    """Returns the mean metrics of a scorer on a question."""
    lists = ranked_lists(scorer, question, max(ks))
    hits = hits_of(lists, question.targets.splits, question.targets.items)
    return mean_metrics(hits, question.targets.sizes, ks)
