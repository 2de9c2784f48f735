"""Who is asked what: users, their targets and what their list must not hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tfrs_app.data.event_log import EventLog


class Target(StrEnum):
    """What a good list holds."""

    ALL = "all"
    """Every distinct item bought in the window."""
    FIRST_PURCHASE = "first_purchase"
    """Those that the user never bought before; earlier items may not be listed."""


@dataclass(frozen=True)
class Question:
    """Asks, for each user at one moment, for the items of the window that follows.

    Args:
        target: which items count.
        moment_s: start of the window; histories end before it.
        user: int64 `[users]`, users of the event log with a history and a target.
        history_start: int64 `[users]`, position of each user's first event.
        history_end: int64 `[users]`, position after the last event before the moment.
        target_splits: int64 `[users + 1]`, bounds of each user's targets.
        target_item: int64 `[targets]`, distinct catalogue rows of each user.
    """

    target: Target
    moment_s: int
    user: np.ndarray
    history_start: np.ndarray
    history_end: np.ndarray
    target_splits: np.ndarray
    target_item: np.ndarray

    @property
    def targets(self) -> np.ndarray:
        """Returns the number of targets of each user, int64 `[users]`."""
        return np.diff(self.target_splits)


def ask(log: EventLog, target: Target, start_s: int, end_s: int | None) -> Question:
    """Asks for the items of the window start <= time < end.

    A user counts with at least one event before the window and one target in it.
    """
    history_end = log.before(start_s)
    past = log.span(None, start_s)
    items = int(log.item.max(initial=-1)) + 1
    key = log.user * items + log.item  # one number a (user, item) pair
    wanted = np.unique(key[log.span(start_s, end_s)])
    if target is Target.FIRST_PURCHASE:
        wanted = wanted[~np.isin(wanted, key[past])]
    user, item = wanted // max(items, 1), wanted % max(items, 1)
    known = history_end[user] > log.row_splits[user]
    user, item = user[known], item[known]
    asked, first = np.unique(user, return_index=True)
    return Question(
        target=target,
        moment_s=start_s,
        user=asked,
        history_start=log.row_splits[asked],
        history_end=history_end[asked],
        target_splits=np.append(first, len(user)),
        target_item=item,
    )
