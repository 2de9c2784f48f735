"""Scores to lists: the best k of the whole catalogue for every user of a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from tfrs_app.evaluation.metrics import hits_of, mean_of, user_metrics
from tfrs_app.evaluation.protocol import Question
from tfrs_app.progress import counted

USERS_A_STEP = 256


class Scorer(Protocol):
    """Scores every catalogue item for users of a question."""

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float `[users, items]` for a slice of the question's users."""


@runtime_checkable
class SameForAll(Protocol):
    """Scores the items alike for everybody, which one sorting ranks."""

    def item_scores(self, question: Question) -> np.ndarray:
        """Returns float `[items]`."""


@runtime_checkable
class Lister(Protocol):
    """Lists the best items itself, and scores no others."""

    def lists(self, question: Question, k: int) -> np.ndarray:
        """Returns catalogue rows, best first, int64 `[users, k]`; -1 for no item."""


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

    Only the question's candidates are listed, and nothing that it excludes; a short
    list ends with -1.
    """
    return ranked_lists_of(scorer, [question], k)[0]


def ranked_lists_of(
    scorer: Scorer | Lister, questions: Sequence[Question], k: int
) -> list[np.ndarray]:
    """Returns the lists of several questions from one scoring.

    Args:
        scorer: scores the users of the first question.
        questions: of one moment; the first asks every user whom another asks.
        k: length of the lists.

    Raises:
        ValueError: a question is of another moment or asks other users.
    """
    for question in questions[1:]:
        if question.moment_s != questions[0].moment_s:
            raise ValueError("questions of several moments share no scores")
        if not np.isin(question.user, questions[0].user).all():
            raise ValueError("the first question must ask every user")
    if isinstance(scorer, Lister):
        return [scorer.lists(question, k) for question in questions]
    if isinstance(scorer, SameForAll):
        return [_same_for_all(scorer, question, k) for question in questions]
    lists: list[list[np.ndarray]] = [[] for _ in questions]
    everybody = questions[0].user
    steps = range(0, len(everybody), USERS_A_STEP)
    for start in counted(steps, "scoring the catalogue", "batches", len(steps)):
        rows = slice(start, min(start + USERS_A_STEP, len(everybody)))
        scores = np.asarray(scorer.scores(questions[0], rows), np.float32)
        for question, found in zip(questions, lists, strict=True):
            found.append(answers(scores, everybody[rows], question, k))
    return [np.concatenate(rows) if rows else np.zeros((0, k), int) for rows in lists]


def answers(
    scores: np.ndarray, users: np.ndarray, question: Question, k: int
) -> np.ndarray:
    """Returns the lists of those scored users whom a question asks, `[asked, k]`.

    Args:
        scores: float `[users, items]`, left as they are.
        users: int64 `[users]`, ascending.
        question: asks some of them.
        k: length of the lists.
    """
    first, last = np.searchsorted(question.user, [users[0], users[-1] + 1])
    asked = np.searchsorted(users, question.user[first:last])
    allowed = scores[asked]
    allowed[question.excluded.rows(slice(first, last))] = -np.inf
    return _best(allowed, question.candidates, k)


def _best(scores: np.ndarray, candidates: np.ndarray | None, k: int) -> np.ndarray:
    """Returns each row's best candidates, int64 `[rows, k]`."""
    if candidates is None:
        return top_k(scores, k)
    columns = np.flatnonzero(candidates)
    best = top_k(scores[:, columns], k)
    return np.where(best >= 0, columns[best], -1)


def _same_for_all(scorer: SameForAll, question: Question, k: int) -> np.ndarray:
    """Takes everybody's list from one that is long enough for all exclusions."""
    scores = np.array(scorer.item_scores(question), np.float32)[np.newaxis]
    k = min(k, len(scores[0]))
    if question.candidates is not None:
        k = min(k, int(question.candidates.sum()))
    longest = k + int(question.excluded.sizes.max(initial=0))
    best = _best(scores, question.candidates, longest)[0]
    lists = []
    for start in range(0, len(question.user), USERS_A_STEP):
        rows = slice(start, min(start + USERS_A_STEP, len(question.user)))
        barred = np.zeros((rows.stop - start, scores.shape[1]), bool)
        barred[question.excluded.rows(rows)] = True
        allowed = ~barred[:, best] & (best >= 0)
        # A stable sort brings the allowed to the front and keeps their order.
        first = np.argsort(~allowed, axis=1, kind="stable")[:, :k]
        listed = np.take_along_axis(allowed, first, axis=1)
        lists.append(np.where(listed, best[first], -1))
    return np.concatenate(lists) if lists else np.zeros((0, k), np.int64)


def evaluate(scorer: Scorer, question: Question, ks: Sequence[int]) -> dict[str, float]:
    """Returns the mean metrics of a scorer on a question."""
    lists = ranked_lists(scorer, question, max(ks))
    return mean_of(metrics_of(lists, question, ks))


def metrics_of(
    lists: np.ndarray, question: Question, ks: Sequence[int]
) -> dict[str, np.ndarray]:
    """Returns every user's metrics of given lists, float64 `[users]` each."""
    hits = hits_of(lists, question.targets.splits, question.targets.items)
    return user_metrics(hits, question.targets.sizes, ks)
