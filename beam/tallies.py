"""Counts that a shard of events keeps for quality.json, mergeable in any order.

Whatever is counted has integer codes: catalogue positions, days, or the leading bits of
a number. So shards merge by addition and the result depends on the events only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from beam.planning import ROLES, column_name
from beam.sequences import Histories
from beam.shards import kept_path
from beam.sinks import read_table, write_table
from beam.tables import TablePlan, Values
from tfrs_app.contract.dataset import EVENT_TYPE, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, FeatureSpec, Kind
from tfrs_app.contract.quality import HOURS_OF_WEEK, SPANS

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
"""Column -> `token` large_string, `code` int64 and a count for each span; both keys are
null for missing values, one of them for all others."""


def tally_path(folder: Path, shard: int) -> Path:
    """Returns a shard's counts by column, value and span."""
    return folder / f"tallies-{shard:05d}.arrow"


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
) -> None:
    """Counts a shard's events and users.

    Args:
        folder: the events' work folder.
        shard: number of the shard.
        events: all events of the shard's users.
        plan: of the events table.
        spec: tells which texts are categories.
        spans: int64 [events], index of each event's span.
    """
    table = events.table
    parts = [*_of_events(table, spans), *_of_columns(table, plan, spec, spans)]
    write_table(tally_path(folder, shard), pa.concat_tables(parts))
    write_table(user_tally_path(folder, shard), _user_tally(events.user, spans))


def read_tallies(folder: Path, shards: int) -> Tallies:
    """Adds up all shards' counts of events."""
    return merged(read_table(tally_path(folder, shard)) for shard in range(shards))


def row_tallies(
    folder: Path, shards: int, plan: TablePlan, spec: FeatureSpec
) -> tuple[int, Tallies]:
    """Counts the kept rows of items or users, as if all fell into the first span."""
    tables = [read_table(kept_path(folder, shard)) for shard in range(shards)]
    parts = [_row_tally(table, plan, spec) for table in tables]
    return sum(map(len, tables)), merged(parts)


def merged(parts: Iterable[pa.Table]) -> Tallies:
    """Adds up counts of the same column, token and code."""
    keys = ["of", "token", "code"]
    table = pa.concat_tables(parts).group_by(keys)
    table = table.aggregate([(span, "sum") for span in SPANS])
    table = table.rename_columns([*keys, *SPANS]).combine_chunks()
    of = table.column("of").to_numpy()
    return {
        name: table.filter(pa.array(of == name)).drop_columns(["of"])
        for name in np.unique(of)
    }


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
    width = len(SPANS)
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


def _of_events(table: pa.Table, spans: Any) -> Iterator[pa.Table]:
    for name in (ITEM_ID, EVENT_TYPE):
        codes = table.column(name).to_numpy().astype(np.int64)
        yield _tally(name, *counted(codes, spans))
    hours = table.column(TIMESTAMP).to_numpy() // HOUR_S
    yield _tally(HOURS, *counted(hours, spans))


def _row_tally(table: pa.Table, plan: TablePlan, spec: FeatureSpec) -> pa.Table:
    spans = np.zeros(len(table), dtype=np.int64)
    return pa.concat_tables([_NOTHING, *_of_columns(table, plan, spec, spans)])


def _of_columns(
    table: pa.Table, plan: TablePlan, spec: FeatureSpec, spans: Any
) -> Iterator[pa.Table]:
    categories = {
        column_name(feature) for feature in spec.of(ROLES[plan.table], Kind.CATEGORICAL)
    }
    for column in plan.columns:
        if column.values is Values.NUMBER:
            yield from _numbers(table, column.name, spans)
        elif column.name in categories:
            yield from _texts(table, column.name, spans)
        elif column.values is Values.TEXT and column.name != EVENT_TYPE:
            nulls = table.column(column.name).combine_chunks().is_null()
            yield _missing(column.name, spans[nulls.to_numpy(zero_copy_only=False)])


def _numbers(table: pa.Table, name: str, spans: Any) -> Iterator[pa.Table]:
    values = table.column(name).combine_chunks()
    missing = values.is_null().to_numpy(zero_copy_only=False)
    codes = codes_of(values.drop_null().to_numpy())
    yield _tally(name, *counted(codes, spans[~missing]))
    yield _missing(name, spans[missing])


def _texts(table: pa.Table, name: str, spans: Any) -> Iterator[pa.Table]:
    encoded = table.column(name).combine_chunks().dictionary_encode()
    missing = encoded.is_null().to_numpy(zero_copy_only=False)
    codes = encoded.indices.drop_null().to_numpy().astype(np.int64)
    present, counts = counted(codes, spans[~missing])
    tokens = encoded.dictionary.take(pa.array(present, pa.int64()))
    yield _tally(name, pa.nulls(len(present), pa.int64()), counts, tokens)
    yield _missing(name, spans[missing])


def _missing(name: str, spans: Any) -> pa.Table:
    counts = np.bincount(spans, minlength=len(SPANS))[None]
    return _tally(name, pa.nulls(1, pa.int64()), counts)


def _tally(name: str, codes: Any, counts: Any, tokens: Any = None) -> pa.Table:
    size = len(codes)
    return pa.table(
        {
            "of": pa.array([name], pa.string()).take(pa.array(np.zeros(size, int))),
            "token": pa.nulls(size, pa.large_string()) if tokens is None else tokens,
            "code": pa.array(codes, pa.int64()),
        }
        | {span: pa.array(counts[:, i], pa.int64()) for i, span in enumerate(SPANS)}
    )


_NOTHING = _tally("", np.zeros(0, np.int64), np.zeros((0, len(SPANS)), np.int64))


def _user_tally(user: Any, spans: Any) -> pa.Table:
    """Counts users that have as many events, in the same spans."""
    starts = np.flatnonzero(np.diff(user, prepend=-1))
    sizes = np.diff([*starts, len(user)])
    masks = np.bitwise_or.reduceat(1 << spans, starts) if len(user) else sizes
    # A user's number of events and mask in one number, so that pairs are counted.
    pairs, users = np.unique(sizes * (1 << len(SPANS)) + masks, return_counts=True)
    columns: Sequence[Any] = (pairs >> len(SPANS), pairs % (1 << len(SPANS)), users)
    names = ("events", "spans", "users")
    return pa.table(
        {n: pa.array(c, pa.int64()) for n, c in zip(names, columns, strict=True)}
    )


def hour_of_week(hours: Any) -> Any:
    """Returns 0..167 of hours since the epoch, from Monday 0 o'clock UTC on."""
    return (hours + EPOCH_HOUR_OF_WEEK) % HOURS_OF_WEEK
