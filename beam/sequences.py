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
from tfrs_app.contract.dataset import OVERLAP, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, USER_ID

MAX_TARGETS = 16_384
"""Events of a record that may be targets; a longer history becomes several records."""


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
class Record:
    """Says which events [start, stop) one sequence record holds.

    `target_start` counts from `start`: the first event that no earlier record holds.
    """

    user: int
    start: int
    stop: int
    target_start: int


def histories(table: pa.Table) -> Histories:
    """Sorts a shard's events and drops those equal to another in every column."""
    names = [name for name in table.column_names if name not in (USER_ID, ROW)]
    first = [USER_ID, TIMESTAMP, ITEM_ID]
    names = first + [name for name in names if name not in first]
    user, users = _ranked(table.column(USER_ID).combine_chunks())
    keys = [user, *(_sort_key(table.column(name)) for name in names[1:])]
    order = np.lexsort(keys[::-1])
    repeated = np.arange(len(order)) > 0
    for key in keys:
        key = key[order]
        same = key[1:] == key[:-1]
        if key.dtype.kind == "f":
            same |= np.isnan(key[1:]) & np.isnan(key[:-1])
        repeated[1:] &= same
    kept = order[~repeated]
    return Histories(
        table=table.select(names[1:]).take(pa.array(kept)),
        user=user[kept],
        users=users,
        duplicates=int(repeated.sum()),
    )


def records(
    user: Any, timestamp: Any, max_targets: int = MAX_TARGETS, overlap: int = OVERLAP
) -> Iterator[Record]:
    """Yields the records of all users.

    No cut falls between events of one moment: the overlap would be events that do not
    see each other, and the histories of the moment's later events would be too short.

    Args:
        user: int [events], ascending.
        timestamp: int [events], ascending within a user.
        max_targets: events a record may hold beside the overlap; one moment may hold
            more.
        overlap: events of the record before that are repeated.
    """
    starts = np.flatnonzero(np.diff(user, prepend=-1)).tolist()
    for start, stop in itertools.pairwise([*starts, len(user)]):
        target = start
        while target < stop:
            end = _cut(timestamp, target, min(target + max_targets, stop), stop)
            begin = max(start, target - overlap)
            yield Record(int(user[start]), begin, end, target - begin)
            target = end


def _cut(timestamp: Any, start: int, wanted: int, stop: int) -> int:
    """Returns the end of a record: where a moment ends, at or before `wanted`.

    After it, if the events from `start` to `wanted` are of one moment.
    """
    if wanted == stop:
        return stop
    rest = timestamp[start:stop]
    first = start + int(np.searchsorted(rest, timestamp[wanted], side="left"))
    if first > start:
        return first
    return start + int(np.searchsorted(rest, timestamp[wanted], side="right"))


def _ranked(values: Any) -> tuple[Any, list[str]]:
    """Returns each text's rank among the distinct ones, -1 for null, and those."""
    encoded = values.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    codes = pc.fill_null(encoded.indices, -1).to_numpy()
    ranked = np.where(codes < 0, -1, rank[codes]) if len(order) else codes
    return ranked.astype(np.int64), encoded.dictionary.take(pa.array(order)).to_pylist()


def _sort_key(column: Any) -> Any:
    values = column.combine_chunks()
    if pa.types.is_large_string(values.type):
        return _ranked(values)[0]
    return values.to_numpy(zero_copy_only=False)
