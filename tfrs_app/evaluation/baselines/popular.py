"""Popular and recently popular: the same list for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question


class Counted(StrEnum):
    """What a popular item has many of."""

    EVENTS = "events"
    """Events, by the weight of their type."""
    USERS = "users"
    """Distinct users: a single heavy buyer counts once."""
    NEW_USERS = "new_users"
    """Users who had their first event of the item in the window."""


@dataclass(frozen=True)
class Popular:
    """Lists the items with most of something, the same to everybody.

    Args:
        counts: float64 `[items]`.
    """

    counts: np.ndarray

    def item_scores(self, question: Question) -> np.ndarray:
        """Returns every item's score for anybody, float64 `[items]`."""
        del question
        return self.counts

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float64 `[users, items]`."""
        return np.broadcast_to(
            self.counts, (len(question.user[rows]), len(self.counts))
        )


def fit_popular(
    past: Past, counted: str = Counted.EVENTS, window_days: float | None = None
) -> Popular:
    """Counts the events of the last days; None: of all."""
    recent = past.age_days <= (np.inf if window_days is None else window_days)
    if counted == Counted.EVENTS:
        # Without events NumPy counts in integers, weights or not.
        weight = past.weight[recent]
        counts = np.bincount(past.item[recent], weight, minlength=past.items)
        return Popular(counts.astype(np.float64))
    pair = past.user * past.items + past.item
    counted_pairs = np.unique(pair[recent])
    if counted == Counted.NEW_USERS:
        counted_pairs = np.setdiff1d(
            counted_pairs, np.unique(pair[~recent]), assume_unique=True
        )
    counts = np.bincount(counted_pairs % past.items, minlength=past.items)
    return Popular(counts.astype(np.float64))
