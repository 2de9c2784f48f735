"""Lists that a shop showed its users, by catalogue row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tfrs_app.data.ragged import padded

NOTHING = -1


@dataclass(frozen=True)
class ShownLists:
    """Holds lists that were shown, each item once and by its place.

    Args:
        user: int64 `[lists]`, rows of the event log.
        moment_s: int64 `[lists]`, seconds since the epoch.
        row: int32 `[lists, longest]`, catalogue rows; NOTHING behind the last.
        place: int32 `[lists, longest]`, 0 = shown first; NOTHING: not to be told.
        weight: float32 `[lists]`, how many lists each stands for; 1 in the mean.
        within_s: what happens so many seconds after a list was shown is its label.
    """

    user: np.ndarray
    moment_s: np.ndarray
    row: np.ndarray
    place: np.ndarray
    weight: np.ndarray
    within_s: int

    def of(self, kept: np.ndarray) -> ShownLists:
        """Returns some of the lists, by a mask."""
        return replace(
            self,
            user=self.user[kept],
            moment_s=self.moment_s[kept],
            row=self.row[kept],
            place=self.place[kept],
            weight=self.weight[kept],
        )

    def untold(self) -> ShownLists:
        """Returns the lists as if they were yet to be shown, like those served."""
        return replace(self, place=np.full_like(self.place, NOTHING))

    def between(self, start_s: int, end_s: int) -> ShownLists:
        """Returns the lists of a span, of which the end is no part."""
        return self.of((self.moment_s >= start_s) & (self.moment_s < end_s))


def grouped(
    list_id: np.ndarray,
    user: np.ndarray,
    moment_s: np.ndarray,
    row: np.ndarray,
    place: np.ndarray,
    weight: np.ndarray,
    *,
    within_s: int,
    at_most: int,
    random: np.random.Generator,
) -> ShownLists:
    """Makes lists of impressions; an item that a list shows twice counts once.

    Args:
        list_id: int64 `[impressions]`.
        user: int64 `[impressions]`; a list's user and moment are those of its first.
        moment_s: int64 `[impressions]`.
        row: int32 `[impressions]`.
        place: int32 `[impressions]`.
        weight: float64 `[impressions]`, how many lists each impression's stands for.
        within_s: what happens so many seconds after a list was shown is its label.
        at_most: lists to keep.
        random: draws them, if there are more.
    """
    lists = np.unique(list_id)
    if len(lists) > at_most:
        lists = random.choice(lists, at_most, replace=False)
    some = np.flatnonzero(np.isin(list_id, lists))
    some = some[np.lexsort((place[some], row[some], list_id[some]))]
    again = np.zeros(len(some), bool)
    again[1:] = (np.diff(list_id[some]) == 0) & (np.diff(row[some]) == 0)
    some = some[~again]
    some = some[np.lexsort((place[some], list_id[some]))]
    _, first, counts = np.unique(list_id[some], return_index=True, return_counts=True)
    table = partial(padded, np.concatenate([[0], np.cumsum(counts)]))
    first = some[first]
    mean = weight[first].mean() if len(first) else 1.0
    return ShownLists(
        user=user[first],
        moment_s=moment_s[first],
        row=table(row[some], NOTHING),
        place=table(place[some], NOTHING),
        weight=(weight[first] / mean).astype(np.float32),
        within_s=within_s,
    )
