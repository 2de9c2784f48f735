"""Everybody's events in flat arrays: what evaluation and training windows read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NEVER = -(2**62)
"""A second before all time; differences to it still fit an int64."""


@dataclass(frozen=True)
class EventLog:
    """Holds all events, grouped by user and sorted by time within a user.

    Args:
        user_id: bytes objects `[users]`.
        row_splits: int64 `[users + 1]`; user u owns row_splits[u]:row_splits[u + 1].
        item: int32 `[events]`, catalogue rows.
        event_type: int32 `[events]`, positions in the spec's event types.
        timestamp: int64 `[events]`, seconds since the epoch.
        type_weight: float64 `[types]`, how much an event of each type counts.
        profile: query feature -> raw values `[users]`.
        context: context feature -> raw values `[events]`.
    """

    user_id: np.ndarray
    row_splits: np.ndarray
    item: np.ndarray
    event_type: np.ndarray
    timestamp: np.ndarray
    type_weight: np.ndarray
    profile: Mapping[str, np.ndarray]
    context: Mapping[str, np.ndarray]

    @property
    def users(self) -> int:
        """Returns the number of users."""
        return len(self.row_splits) - 1

    @property
    def user(self) -> np.ndarray:
        """Returns the user of each event, int64 `[events]`."""
        return np.repeat(np.arange(self.users), np.diff(self.row_splits))

    @property
    def weight(self) -> np.ndarray:
        """Returns how much each event counts, float64 `[events]`."""
        weight: np.ndarray = self.type_weight[self.event_type]
        return weight

    @property
    def bought(self) -> np.ndarray:
        """Returns which events are of the weightiest type, the purchase, `[events]`."""
        bought: np.ndarray = self.event_type == np.argmax(self.type_weight)
        return bought

    @property
    def previous(self) -> np.ndarray:
        """Returns when the same user had each event's item before, int64 `[events]`.

        Events of one moment follow each other; NEVER stands for a user's first.
        """
        key = self.user * (int(self.item.max(initial=0)) + 1) + self.item
        order = np.argsort(key, kind="stable")  # events of a pair stay sorted by time
        again = np.zeros(len(key), bool)
        again[1:] = np.diff(key[order]) == 0
        previous = np.full(len(key), NEVER)
        previous[order[again]] = self.timestamp[order[np.flatnonzero(again) - 1]]
        return previous

    @property
    def repeated(self) -> np.ndarray:
        """Returns which events name an item that their user had before, `[events]`.

        A basket that holds an item twice does not repeat it.
        """
        key = self.user * (int(self.item.max(initial=0)) + 1) + self.item
        _, first, pair = np.unique(key, return_index=True, return_inverse=True)
        repeated: np.ndarray = self.timestamp > self.timestamp[first][pair]
        return repeated

    def history_end(self) -> np.ndarray:
        """Returns where each event's strictly earlier events end, int64 `[events]`.

        Events of one moment (a basket) do not see each other.
        """
        positions = np.arange(len(self.item))
        if not len(positions):
            return positions
        new_moment = np.ones(len(positions), bool)
        new_moment[1:] = np.diff(self.timestamp) != 0
        starts = self.row_splits[:-1]
        new_moment[starts[starts < len(positions)]] = True
        return np.maximum.accumulate(np.where(new_moment, positions, 0))

    def before(self, moment_s: int) -> np.ndarray:
        """Returns where each user's events before a moment end, int64 `[users]`."""
        earlier = np.concatenate([[0], np.cumsum(self.timestamp < moment_s)])
        ends: np.ndarray = self.row_splits[:-1] + np.diff(earlier[self.row_splits])
        return ends

    def before_each(self, user: np.ndarray, moment_s: np.ndarray) -> np.ndarray:
        """Returns where a user's events before a moment end, for many pairs of them.

        Args:
            user: int64 `[n]`.
            moment_s: int64 `[n]`.

        Returns:
            int64 `[n]`, positions of events.
        """
        first = self.timestamp.min(initial=0)
        seconds = self.timestamp.max(initial=first) - first + 2
        asked = np.clip(moment_s - first, 0, seconds - 1)
        ends: np.ndarray = np.searchsorted(
            self.user * seconds + self.timestamp - first, user * seconds + asked
        )
        return ends

    def follows(
        self,
        event_type: int,
        user: np.ndarray,
        item: np.ndarray,
        moment_s: np.ndarray,
        within_s: int,
    ) -> np.ndarray:
        """Tells whether users have events of items soon after given moments.

        Args:
            event_type: of the events, a position in the spec's.
            user: int64, broadcast against the next two.
            item: int, catalogue rows; -1: of no item.
            moment_s: int64; an event of that very second counts.
            within_s: seconds after which one does not count any more.

        Returns:
            bool, of the common shape.
        """
        user, item, moment_s = np.broadcast_arrays(user, item, moment_s)
        if not user.size:
            return np.zeros(user.shape, bool)
        items = int(max(self.item.max(initial=0), item.max())) + 1
        first, end = moment_s.min(), moment_s.max() + within_s
        some = self.span(first, end) & (self.event_type == event_type)
        pairs, pair = np.unique(
            (self.user * items + self.item)[some], return_inverse=True
        )
        # Pair by pair on one axis of time; behind the last there is an end of all.
        seconds = end - first + 1
        events = np.sort(pair * seconds + self.timestamp[some] - first)
        events = np.append(events, np.iinfo(np.int64).max)
        key = user * items + item
        place = np.searchsorted(pairs, key)
        has_any = (np.append(pairs, -1)[place] == key) & (item >= 0)
        asked = place * seconds + moment_s - first
        following = events[np.searchsorted(events, asked)]
        told: np.ndarray = has_any & (following < asked + within_s)
        return told

    def span(self, start_s: int | None, end_s: int | None) -> np.ndarray:
        """Returns a mask of the events with start <= time < end, bool `[events]`."""
        mask = np.ones(len(self.timestamp), bool)
        if start_s is not None:
            mask &= self.timestamp >= start_s
        if end_s is not None:
            mask &= self.timestamp < end_s
        return mask
