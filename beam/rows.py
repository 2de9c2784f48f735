"""Makes one Example an event: the target, and what its user did before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from beam.examples import examples, number_entries, text_entries
from beam.records import Entries, Profiles, coded_texts, sequences
from beam.sequences import Histories
from beam.tables import TablePlan
from tfrs_app.contract.dataset import EVENT_TYPE, TIMESTAMP, WEIGHT, context_column
from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    ITEM_ID,
    USER_ID,
)

_HISTORY = {
    ITEM_ID: HISTORY_ITEM_ID,
    EVENT_TYPE: HISTORY_EVENT_TYPE,
    TIMESTAMP: HISTORY_TIMESTAMP,
}
_BATCH = 8_192
"""Rows that are serialised at a time, each with its history."""


@dataclass(frozen=True)
class TrainingRows:
    """Serialises the training rows of one shard.

    `weights`: event type -> how much such an event counts. `history_length`: the most
    recent earlier events that a row holds.
    """

    events: Histories
    plan: TablePlan
    item_ids: Any
    weights: Mapping[str, float]
    profiles: Profiles
    history_length: int

    def of(self, wanted: Any) -> Iterator[Any]:
        """Yields arrays of one Example for each wanted event.

        Args:
            wanted: bool [events].
        """
        users = pa.array(self.events.users, pa.large_string())
        user_start, moment = _starts(self.events)
        rows = np.flatnonzero(wanted)
        for begin in range(0, len(rows), _BATCH):
            part = rows[begin : begin + _BATCH]
            ids = users.take(pa.array(self.events.user[part]))
            first = np.maximum(user_start[part], moment[part] - self.history_length)
            yield examples(
                {
                    **self.profiles.of(ids),
                    **self._history(first, moment[part]),
                    **self._own(part),
                    USER_ID: text_entries(USER_ID, ids, np.arange(len(part) + 1)),
                }
            )

    def _history(self, first: Any, stop: Any) -> Entries:
        """Returns the events [first, stop) of each row as features."""
        splits = np.concatenate([[0], np.cumsum(stop - first)])
        rows = np.arange(splits[-1]) + np.repeat(first - splits[:-1], stop - first)
        return self._sequences(rows, splits, _HISTORY)

    def _own(self, rows: Any) -> Entries:
        splits, prefix = np.arange(len(rows) + 1), context_column("")
        names = [c.name for c in self.plan.columns if c.name != USER_ID]
        features = {name: name.removeprefix(prefix) for name in names}
        by_code = np.array([self.weights[name] for name in self.plan.event_types])
        codes = self.events.table.column(EVENT_TYPE).to_numpy()[rows]
        return {
            **self._sequences(rows, splits, features),
            WEIGHT: number_entries(WEIGHT, by_code[codes], splits),
        }

    def _sequences(
        self, rows: Any, splits: Any, features: Mapping[str, str]
    ) -> Entries:
        table = self.events.table.select(list(features)).take(pa.array(rows))
        texts = coded_texts(self.plan, self.item_ids)
        return sequences(table, splits, self.plan, texts, features)


def _starts(events: Histories) -> tuple[Any, Any]:
    """Returns where each event's user, and where its moment, starts; int64 [events]."""
    position = np.arange(len(events.user))
    times = events.table.column(TIMESTAMP).to_numpy()
    new_user = np.diff(events.user, prepend=-1) != 0
    new_moment = new_user | (np.diff(times, prepend=0) != 0)
    users = np.maximum.accumulate(np.where(new_user, position, 0))
    moments = np.maximum.accumulate(np.where(new_moment, position, 0))
    return users, moments
