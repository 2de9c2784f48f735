"""Orders a shard's events into one history a user and finds where records are cut."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.cleaning import ROW
from beam.ordering import distinct_order, integer_key, number_key, ranked
from tfrs_app.contract.dataset import TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, USER_ID

MAX_TARGETS = 16_384
"""Events of a record that may be targets; a longer history becomes several records."""
OVERLAP = 512
"""Earlier events that a further record of the same user begins with."""


@dataclass(frozen=True)
class Histories:
    """Holds events sorted by user, timestamp, item and the other columns, each once.

    `user`: int64 [events], codes in the order of `users`, which ascend by bytes.
    """

    table: pa.Table
    user: Any
    users: list[str]
    duplicates: int


@dataclass(frozen=True)
class Records:
    """Says which events [start, stop) each sequence record holds; arrays [records].

    `target_start` counts from `start`: the first event that no earlier record holds.
    """

    user: Any
    start: Any
    stop: Any
    target_start: Any

    @property
    def splits(self) -> Any:
        """Returns int64 [records + 1]: where each begins when all stand in a row."""
        return np.concatenate([[0], np.cumsum(self.stop - self.start)])

    @property
    def events(self) -> Any:
        """Returns the events of all records, one after the other."""
        splits = self.splits
        shift = np.repeat(self.start - splits[:-1], np.diff(splits))
        return pa.array(np.arange(splits[-1]) + shift)

    def batches(self, events: int) -> Iterator[Records]:
        """Yields consecutive records of about so many events together."""
        number = self.splits[:-1] // events
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        for start, stop in itertools.pairwise([*starts, len(number)]):
            part = slice(start, stop)
            yield Records(
                self.user[part],
                self.start[part],
                self.stop[part],
                self.target_start[part],
            )


def histories(table: pa.Table) -> Histories:
    """Sorts a shard's events and drops those equal to another in every column."""
    names = [name for name in table.column_names if name not in (USER_ID, ROW)]
    first = [TIMESTAMP, ITEM_ID]
    names = first + [name for name in names if name not in first]
    table = table.select([USER_ID, *names]).combine_chunks()
    user, users = ranked(table.column(USER_ID).combine_chunks())
    keys = [user, *(_sort_key(table.column(name)) for name in names)]
    kept = distinct_order(keys)
    return Histories(
        table=table.select(names).take(pa.array(kept)),
        user=user[kept],
        users=users.to_pylist(),
        duplicates=len(table) - len(kept),
    )


def records(
    user: Any, max_targets: int = MAX_TARGETS, overlap: int = OVERLAP
) -> Records:
    """Returns the records of all users.

    Args:
        user: int [events], ascending.
        max_targets: events a record may hold beside the overlap.
        overlap: events of the record before that are repeated.
    """
    first = np.flatnonzero(np.diff(user, prepend=-1))
    last = np.append(first[1:], len(user))[: len(first)]
    pieces = -(-(last - first) // max_targets)
    begin, end = np.repeat(first, pieces), np.repeat(last, pieces)
    piece = np.arange(len(begin)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    target = begin + piece * max_targets
    start = np.maximum(begin, target - overlap)
    stop = np.minimum(target + max_targets, end)
    return Records(user[begin], start, stop, target - start)


def _sort_key(column: Any) -> Any:
    values = column.combine_chunks()
    if pa.types.is_large_string(values.type) or pa.types.is_dictionary(values.type):
        return ranked(values)[0]
    if pa.types.is_floating(values.type):
        return number_key(pc.fill_null(values, float("nan")).to_numpy())
    return integer_key(values.to_numpy())
