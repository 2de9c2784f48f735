"""Who is asked what: users, their targets and what their list must not hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
class ItemSets:
    """Holds one set of catalogue rows a user, flattened.

    Args:
        splits: int64 `[users + 1]`; user u owns items[splits[u]:splits[u + 1]].
        items: int64, distinct within a user.
    """

    splits: np.ndarray
    items: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Returns the number of items of each user, int64 `[users]`."""
        return np.diff(self.splits)

    def rows(self, users: slice) -> tuple[np.ndarray, np.ndarray]:
        """Returns (position within the slice, item) of every pair of some users."""
        splits = self.splits[users.start : users.stop + 1]
        position = np.repeat(np.arange(len(splits) - 1), np.diff(splits))
        return position, self.items[splits[0] : splits[-1]]

    def owners(self) -> np.ndarray:
        """Returns the user of each item, int64 `[len(items)]`."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def of(self, users: np.ndarray) -> ItemSets:
        """Returns the sets of some users.

        Args:
            users: bool `[users]`.
        """
        kept = np.concatenate([[0], np.cumsum(self.sizes[users])])
        return ItemSets(kept, self.items[users[self.owners()]])

    def keeping(self, kept: np.ndarray) -> ItemSets:
        """Returns a part of the items; some users may be left with none.

        Args:
            kept: bool `[len(items)]`.
        """
        counts = np.bincount(self.owners()[kept], minlength=len(self.sizes))
        return ItemSets(np.concatenate([[0], np.cumsum(counts)]), self.items[kept])


@dataclass(frozen=True)
class Question:
    """Asks, for each user at one moment, for the items of the window that follows.

    Args:
        target: which items count.
        moment_s: start of the window; histories end before it.
        user: int64 `[users]`, users of the event log with a history and a target.
        history_start: int64 `[users]`, position of each user's first event.
        history_end: int64 `[users]`, position after the last event before the moment.
        targets: the items to find, distinct for each user.
        excluded: the items that may not be listed.
        candidates: bool `[items]`, the only rows that may be listed; None: all.
    """

    target: Target
    moment_s: int
    user: np.ndarray
    history_start: np.ndarray
    history_end: np.ndarray
    targets: ItemSets
    excluded: ItemSets
    candidates: np.ndarray | None = None

    def among(self, candidates: np.ndarray) -> Question:
        """Asks for the targets among some items only, from lists of only those.

        Users without such a target are not asked.

        Args:
            candidates: bool `[items]`, over the catalogue.
        """
        asked = self.aiming_at(candidates[self.targets.items])
        return replace(asked, candidates=candidates)

    def aiming_at(self, kept: np.ndarray) -> Question:
        """Asks for a part of the targets; users without one are not asked.

        Args:
            kept: bool `[targets]`.
        """
        targets = self.targets.keeping(kept)
        asked = targets.sizes > 0
        return replace(self.of(asked), targets=targets.of(asked))

    def of(self, users: np.ndarray) -> Question:
        """Asks some of the users.

        Args:
            users: bool `[users]`.
        """
        return replace(
            self,
            user=self.user[users],
            history_start=self.history_start[users],
            history_end=self.history_end[users],
            targets=self.targets.of(users),
            excluded=self.excluded.of(users),
        )


def everybody(log: EventLog, start_s: int) -> Question:
    """Asks every user with an event before a moment, whatever they then do.

    There are no targets and nothing is excluded.
    """
    history_end = log.before(start_s)
    user = np.flatnonzero(history_end > log.row_splits[:-1])
    nothing = ItemSets(np.zeros(len(user) + 1, np.int64), np.zeros(0, np.int64))
    return Question(
        target=Target.ALL,
        moment_s=start_s,
        user=user,
        history_start=log.row_splits[user],
        history_end=history_end[user],
        targets=nothing,
        excluded=nothing,
    )


def ask(log: EventLog, target: Target, start_s: int, end_s: int | None) -> Question:
    """Asks for the items bought in the window start <= time < end.

    A user counts with at least one event before the window and one target in it.
    """
    history_end = log.before(start_s)
    items = int(log.item.max(initial=0)) + 1
    key = log.user * items + log.item  # one number a (user, item) pair
    wanted = np.unique(key[log.bought & log.span(start_s, end_s)])
    had = np.unique(key[log.bought & log.span(None, start_s)])
    if target is Target.FIRST_PURCHASE:
        wanted = np.setdiff1d(wanted, had, assume_unique=True)
    owner = wanted // items
    wanted = wanted[history_end[owner] > log.row_splits[owner]]
    user = np.unique(wanted // items)
    excluded = had if target is Target.FIRST_PURCHASE else had[:0]
    return Question(
        target=target,
        moment_s=start_s,
        user=user,
        history_start=log.row_splits[user],
        history_end=history_end[user],
        targets=_item_sets(wanted, items, user),
        excluded=_item_sets(excluded, items, user),
    )


def _item_sets(key: np.ndarray, items: int, user: np.ndarray) -> ItemSets:
    """Groups sorted (user, item) numbers by the given users; others are left out."""
    key = key[np.isin(key // items, user)]
    bounds = np.searchsorted(key // items, user)
    return ItemSets(np.append(bounds, len(key)), key % items)
