"""Counts that a shard of events keeps for quality.json, mergeable in any order.

Whatever is counted has integer codes: catalogue positions, days, or the leading bits of
a number. So shards merge by addition and the result depends on the events only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from beam.planning import ROLES, column_name
from beam.sequences import Histories
from beam.shards import kept_path
from beam.sinks import read_table, write_table
from beam.tables import TablePlan, Values
from tfrs_app.contract.dataset import EVENT_TYPE, EVERY_SPAN, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, FeatureSpec, Kind
from tfrs_app.contract.quality import HOURS_OF_WEEK

HOUR_S = 3600
EPOCH_HOUR_OF_WEEK = 72
"""1970-01-01 was a Thursday."""
_DROPPED_BITS = 8
"""Of a float32; 15 bits of its mantissa stay, a precision of 0.003 %."""
_DENSE = 4
"""A range of codes up to so many times the number of values is counted in place."""
HOURS = "hours"
"""Tally of the hours since the epoch."""
Tallies: TypeAlias = dict[str, pa.Table]
"""Column -> `key`, large_string tokens or int64 codes, and a count for each span; the
key of missing values is null."""
_Counter: TypeAlias = Callable[[pa.Table, Any], pa.Table]


def tally_path(folder: Path, shard: int, column: str) -> Path:
    """Returns a shard's counts of a column, by value and span."""
    return folder / f"tallies-{shard:05d}-{column}.arrow"


def user_tally_path(folder: Path, shard: int) -> Path:
    """Returns a shard's counts of users."""
    return folder / f"user-tallies-{shard:05d}.arrow"


def write_tallies(
    folder: Path,
    shard: int,
    events: Histories,
    plan: TablePlan,
    spec: FeatureSpec,
    spans: Any,
) -> list[Path]:
    """Counts a shard's events and users.

    Args:
        folder: the events' work folder.
        shard: number of the shard.
        events: all events of the shard's users.
        plan: of the events table.
        spec: tells which texts are categories.
        spans: int64 [events], index of each event's span.

    Returns:
        The files.
    """
    counters = _columns(plan, spec)
    tallies = {user_tally_path(folder, shard): _user_tally(events.user, spans)} | {
        tally_path(folder, shard, name): count(events.table, spans)
        for name, count in counters.items()
    }
    for path, table in tallies.items():
        write_table(path, table)
    return list(tallies)


def read_tallies(
    folder: Path, shards: int, plan: TablePlan, spec: FeatureSpec
) -> Tallies:
    """Adds up all shards' counts of events."""
    return {
        name: merged(read_table(tally_path(folder, s, name)) for s in range(shards))
        for name in _columns(plan, spec)
    }


def row_tallies(
    folder: Path, shards: int, plan: TablePlan, spec: FeatureSpec
) -> tuple[int, Tallies]:
    """Returns a table's rows and their counts, as if all fell into the first span."""
    tables = [read_table(kept_path(folder, shard)) for shard in range(shards)]
    spans = [np.zeros(len(table), dtype=np.int64) for table in tables]
    return sum(map(len, tables)), {
        name: merged(map(count, tables, spans))
        for name, count in _columns(plan, spec).items()
    }


def merged(parts: Iterable[pa.Table]) -> pa.Table:
    """Adds up counts of the same key, which then ascend; a null comes last."""
    groups = pa.concat_tables(parts).group_by("key")
    table = groups.aggregate([(span, "sum") for span in EVERY_SPAN])
    return table.rename_columns(["key", *EVERY_SPAN]).sort_by("key").combine_chunks()


def read_user_tallies(folder: Path, shards: int) -> tuple[Any, Any, Any]:
    """Returns int64 [groups] thrice: events a user, mask of their spans, users."""
    parts = [read_table(user_tally_path(folder, shard)) for shard in range(shards)]
    table = pa.concat_tables(parts)
    return tuple(table.column(name).to_numpy() for name in ("events", "spans", "users"))


def codes_of(numbers: Any) -> Any:
    """Returns int64 codes whose order is that of float32 numbers; -0 is 0."""
    bits = (numbers.astype(np.float32) + np.float32(0)).view(np.int32)
    ordered = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return (ordered >> _DROPPED_BITS).astype(np.int64)


def numbers_of(codes: Any) -> Any:
    """Returns the float64 number next to zero among those of each code."""
    ordered = codes.astype(np.int32) << np.int32(_DROPPED_BITS)
    ordered |= np.where(ordered < 0, np.int32((1 << _DROPPED_BITS) - 1), np.int32(0))
    bits = ordered ^ ((ordered >> 31) & np.int32(0x7FFFFFFF))
    return bits.astype(np.int32).view(np.float32).astype(np.float64)


def counted(codes: Any, spans: Any) -> tuple[Any, Any]:
    """Returns the distinct codes, ascending, and int64 [codes, spans] counts."""
    width = len(EVERY_SPAN)
    if not len(codes):
        return codes, np.zeros((0, width), dtype=np.int64)
    low = codes.min()
    size = int(codes.max() - low) + 1
    if size <= _DENSE * len(codes):
        keys = (codes - low) * width + spans
        counts = np.bincount(keys, minlength=size * width).reshape(size, width)
        present = np.flatnonzero(counts.any(axis=1))
        return present + low, counts[present]
    keys, totals = np.unique(codes * width + spans, return_counts=True)
    distinct, row = np.unique(keys // width, return_inverse=True)
    counts = np.zeros((len(distinct), width), dtype=np.int64)
    counts[row, keys % width] = totals
    return distinct, counts


def _columns(plan: TablePlan, spec: FeatureSpec) -> dict[str, _Counter]:
    """Returns how each column of a table is counted."""
    events: dict[str, _Counter] = {
        ITEM_ID: partial(_codes, ITEM_ID),
        EVENT_TYPE: partial(_codes, EVENT_TYPE),
        HOURS: _hours,
    }
    found = events if plan.table == "events" else {}
    categories = map(column_name, spec.of(ROLES[plan.table], Kind.CATEGORICAL))
    texts = frozenset(categories)
    for column in plan.columns:
        if column.values is Values.NUMBER:
            found[column.name] = partial(_numbers, column.name)
        elif column.values is Values.TEXT and column.name != EVENT_TYPE:
            count = _texts if column.name in texts else _missing
            found[column.name] = partial(count, column.name)
    return found


def _codes(name: str, table: pa.Table, spans: Any) -> pa.Table:
    codes = table.column(name).to_numpy().astype(np.int64)
    return _tally(*counted(codes, spans))


def _hours(table: pa.Table, spans: Any) -> pa.Table:
    return _tally(*counted(table.column(TIMESTAMP).to_numpy() // HOUR_S, spans))


def _numbers(name: str, table: pa.Table, spans: Any) -> pa.Table:
    values = table.column(name).combine_chunks()
    present = values.is_valid().to_numpy(zero_copy_only=False)
    codes = codes_of(values.drop_null().to_numpy())
    return _tally(*counted(codes, spans[present]), nulls=spans[~present])


def _texts(name: str, table: pa.Table, spans: Any) -> pa.Table:
    encoded = table.column(name).combine_chunks().dictionary_encode()
    present = encoded.is_valid().to_numpy(zero_copy_only=False)
    codes = encoded.indices.drop_null().to_numpy().astype(np.int64)
    codes, counts = counted(codes, spans[present])
    tokens = encoded.dictionary.take(pa.array(codes, pa.int64()))
    return _tally(tokens, counts, nulls=spans[~present])


def _missing(name: str, table: pa.Table, spans: Any) -> pa.Table:
    present = table.column(name).combine_chunks().is_valid()
    nulls = spans[~present.to_numpy(zero_copy_only=False)]
    none = np.zeros(0, dtype=np.int64)
    return _tally(*counted(none, none), nulls=nulls)


def _tally(keys: Any, counts: Any, nulls: Any = ()) -> pa.Table:
    """Returns counts by key, then those of missing values, whose spans are given."""
    missing = np.bincount(np.asarray(nulls, np.int64), minlength=len(EVERY_SPAN))
    keys = keys if isinstance(keys, pa.Array) else pa.array(keys, pa.int64())
    columns = np.concatenate([counts, missing[None]]).T
    return pa.table(
        {"key": pa.concat_arrays([keys, pa.nulls(1, keys.type)])}
        | {span: pa.array(c) for span, c in zip(EVERY_SPAN, columns, strict=True)}
    )


def _user_tally(user: Any, spans: Any) -> pa.Table:
    """Counts users that have as many events, in the same spans."""
    starts = np.flatnonzero(np.diff(user, prepend=-1))
    sizes = np.diff([*starts, len(user)])
    masks = np.bitwise_or.reduceat(1 << spans, starts) if len(user) else sizes
    bits = len(EVERY_SPAN)
    # A user's number of events and mask in one number, so that pairs are counted.
    pairs, users = np.unique((sizes << bits) + masks, return_counts=True)
    columns: Sequence[Any] = (pairs >> bits, pairs % (1 << bits), users)
    names = ("events", "spans", "users")
    return pa.table(
        {n: pa.array(c, pa.int64()) for n, c in zip(names, columns, strict=True)}
    )


def hour_of_week(hours: Any) -> Any:
    """Returns 0..167 of hours since the epoch, from Monday 0 o'clock UTC on."""
    return (hours + EPOCH_HOUR_OF_WEEK) % HOURS_OF_WEEK
