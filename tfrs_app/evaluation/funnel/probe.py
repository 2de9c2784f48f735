"""All candidates of the funnel, which its lists do not show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tfrs_app.contract.signatures import PROBABILITY, SCORE
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.requests import Requests
from tfrs_app.models.candidate_sources import PROPOSED
from tfrs_app.models.ranking import ROW

Considering = Callable[
    [Mapping[str, np.ndarray], np.ndarray | None], Mapping[str, np.ndarray]
]
"""Inputs of `recommend`, and what is barred, bool `[items]`, if not by them, to
candidates `[batch, n]`: rows, who proposed, scores."""
NOTHING = -1


@dataclass(frozen=True)
class Considered:
    """Holds the candidates of every user of a question, in no order.

    Args:
        row: int32 `[users, n]`, catalogue rows, distinct; -1 for none.
        proposed: bool `[users, n, sources]`, in the order of `SOURCES`.
        score: float32 `[users, n]`; -inf for none.
        probability: event type -> float32 `[users, n]`.
    """

    row: np.ndarray
    proposed: np.ndarray
    score: np.ndarray
    probability: Mapping[str, np.ndarray]

    def of(self, users: np.ndarray) -> Considered:
        """Returns the candidates of some users, bool `[users]`."""
        return Considered(
            row=self.row[users],
            proposed=self.proposed[users],
            score=self.score[users],
            probability={name: p[users] for name, p in self.probability.items()},
        )

    def best(self, k: int) -> np.ndarray:
        """Returns the k rows with the best scores, int64 `[users, k]`; -1: none."""
        order = np.argsort(-self.score, axis=1, kind="stable")[:, :k]
        listed = np.take_along_axis(self.row, order, axis=1).astype(np.int64)
        short = k - listed.shape[1]
        return np.pad(listed, ((0, 0), (0, short)), constant_values=NOTHING)


@dataclass(frozen=True)
class FunnelProbe:
    """Asks the module that was saved for its candidates.

    Args:
        requests: what is sent.
        considering: the module that was saved.
        known: bool `[items]`, what of the dataset's catalogue the module has.
    """

    requests: Requests
    considering: Considering
    known: np.ndarray

    def considered(self, question: Question, k: int) -> Considered:
        """Returns the candidates from which lists of k are made.

        Args:
            question: whose candidates, if it names any, are the only ones; what it
                excludes must then be none of them.
            k: length of the lists.
        """
        allowed = question.candidates
        barred = None if allowed is None else ~allowed
        answers = [
            self.considering(given, barred) for given in self.requests.of(question, k)
        ]
        names = answers[0] if answers else ()
        tasks = [name for name in names if name.startswith(PROBABILITY)]
        return Considered(
            row=_joined(answers, ROW, NOTHING),
            proposed=_joined(answers, PROPOSED, False),
            score=_joined(answers, SCORE, -np.inf),
            probability={
                name.removeprefix(PROBABILITY): _joined(answers, name, 0.0)
                for name in tasks
            },
        )

    def lists(self, question: Question, k: int) -> np.ndarray:
        """Returns each user's best k catalogue rows, int64 `[users, k]`; -1: none."""
        return self.considered(question, k).best(k)


def _joined(
    answers: list[Mapping[str, np.ndarray]], name: str, nothing: float
) -> np.ndarray:
    """Returns a column of all answers, padded to one length, `[users, n, ...]`."""
    parts = [answer[name] for answer in answers]
    if not parts:
        return np.zeros((0, 0))
    longest = max(part.shape[1] for part in parts)

    def filled(part: np.ndarray) -> np.ndarray:
        shape = (len(part), longest - part.shape[1], *part.shape[2:])
        return np.concatenate([part, np.full(shape, nothing, part.dtype)], axis=1)

    return np.concatenate([filled(part) for part in parts])
