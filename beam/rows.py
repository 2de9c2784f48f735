"""Makes one Example an event: the target, and what its user did before.

Each column of a shard is serialised once; a list of a row is a slice of those bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from beam.examples import entry_head, example, integer_value, text_entry, text_value
from beam.records import Entries, EventColumn
from beam.sequences import Histories
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


class TrainingRows:
    """Serialises the training rows of one shard.

    Args:
        events: the sorted events of the shard.
        columns: of these events.
        weights: event type -> how much such an event counts.
        profiles: user id -> query features.
        history_length: the most recent earlier events that a row holds.
    """

    def __init__(
        self,
        events: Histories,
        columns: Iterable[EventColumn],
        weights: Mapping[str, float],
        profiles: Mapping[str, Entries],
        history_length: int,
    ) -> None:
        self._events = events
        self._profiles = profiles
        self._length = history_length
        self._own: list[_Feature] = []
        self._history: list[_Feature] = []
        for column in columns:
            packed = _packed(column)
            name = column.name.removeprefix(context_column(""))
            self._own.append(_Feature(name, packed))
            if column.name in _HISTORY:
                self._history.append(_Feature(_HISTORY[column.name], packed))
            if column.name == EVENT_TYPE:
                self._own.append(_Feature(WEIGHT, _packed(_weights(column, weights))))

    def of(self, wanted: Any) -> Iterator[bytes]:
        """Yields a row for each wanted event.

        Args:
            wanted: bool [events].
        """
        users, moments = _starts(self._events)
        user, moment, about_user, history = -1, -1, b"", b""
        for event in np.flatnonzero(wanted).tolist():
            if users[event] != user:
                user = users[event]
                about_user = self._about(self._events.users[self._events.user[event]])
            if moments[event] != moment:
                moment = moments[event]
                first = max(user, moment - self._length)
                history = b"".join(f.entry(first, moment) for f in self._history)
            own = b"".join(feature.entry(event, event + 1) for feature in self._own)
            yield example(about_user + history + own)

    def _about(self, user_id: str) -> bytes:
        profile = self._profiles.get(user_id, {})
        # The users table's own id would repeat the key.
        others = (profile[name] for name in sorted(profile) if name != USER_ID)
        return text_entry(USER_ID, [user_id.encode()]) + b"".join(others)


@dataclass(frozen=True)
class _Packed:
    """Holds all values of a column in a row; value n ends where n + 1 starts."""

    kind: str
    content: bytes
    starts: Any


@dataclass(frozen=True)
class _Feature:
    """Cuts features of one name out of a column."""

    name: str
    packed: _Packed
    heads: dict[int, bytes] = field(default_factory=dict)

    def entry(self, first: int, stop: int) -> bytes:
        """Returns the serialised feature of the events from `first` to `stop`."""
        start, end = self.packed.starts[first], self.packed.starts[stop]
        head = self.heads.get(end - start)
        if head is None:
            head = entry_head(self.name, self.packed.kind, end - start)
            self.heads[end - start] = head
        return head + self.packed.content[start:end]


def _packed(column: EventColumn) -> _Packed:
    if column.kind == "float_list":
        content = np.asarray(column.values, "<f4").tobytes()
        return _Packed(column.kind, content, range(0, len(content) + 4, 4))
    serialise: Any = text_value if column.kind == "bytes_list" else integer_value
    distinct = {value: serialise(value) for value in set(column.values)}
    parts = [distinct[value] for value in column.values]
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    # Python's own integers: NumPy's cost several times as much one by one.
    return _Packed(column.kind, b"".join(parts), array("q", starts.tobytes()))


def _weights(types: EventColumn, weights: Mapping[str, float]) -> EventColumn:
    by_name = {name.encode(): weight for name, weight in weights.items()}
    return EventColumn(WEIGHT, "float_list", [by_name[name] for name in types.values])


def _starts(events: Histories) -> tuple[list[int], list[int]]:
    """Returns where each event's user, and where its moment, starts."""
    position = np.arange(len(events.user))
    times = events.table.column(TIMESTAMP).to_numpy()
    new_user = np.diff(events.user, prepend=-1) != 0
    new_moment = new_user | (np.diff(times, prepend=0) != 0)
    users = np.maximum.accumulate(np.where(new_user, position, 0))
    moments = np.maximum.accumulate(np.where(new_moment, position, 0))
    return users.tolist(), moments.tolist()
