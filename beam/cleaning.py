"""Turns a batch of a file's rows into clean contract columns, rejects and a count."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.catalogue import Catalogue
from beam.coercion import as_numbers, as_seconds, as_text
from beam.filters import rows_where, unreadable_rows
from beam.reading import Batch, Reject
from beam.sources import InputFile
from beam.tables import Column, TablePlan, Values
from tfrs_app.contract.dataset import EVENT_TYPE
from tfrs_app.contract.features import ITEM_ID

ROW = "__row__"
"""Column of the row's number in its file; it orders duplicates."""
LINE_BREAKS = "[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
"""What ends a line for some reader of a vocabulary file."""


@dataclass(frozen=True)
class Cleaned:
    """Holds what became of a batch: rows_in = table.num_rows + filtered + rejects.

    `table` has the plan's columns and the row number. For events `item_id` is the
    position in the catalogue and `event_type` the index in the plan's event types.
    `filtered_keys` are the ids of the filtered rows.
    """

    table: pa.Table
    filtered: int
    filtered_keys: Any
    rejects: tuple[Reject, ...]


@dataclass(frozen=True)
class _Fault:
    reason: str
    rows: Any


def clean(
    batch: Batch, plan: TablePlan, file: InputFile, catalogue: Catalogue | None = None
) -> Cleaned:
    """Cleans a batch.

    Args:
        batch: rows with the file's columns.
        plan: what they become.
        file: where they come from.
        catalogue: the items that events may name; only with a plan of events.

    Raises:
        DataError: the table's `where` compares a column with another type.
    """
    chosen, unreadable = _chosen(batch.table, plan, file)
    columns, faults = _coerced(batch.table, plan)
    faults.append(_Fault("value that where cannot compare", unreadable))
    keys = columns[plan.key]
    if catalogue is not None:
        left_out, fault = _join(columns, catalogue)
        faults.append(fault)
    else:
        left_out = np.zeros(len(chosen), dtype=bool)
    reason = _first_fault(faults, len(chosen))
    rejected = chosen & (reason >= 0)
    kept = chosen & (reason < 0) & ~left_out
    filtered = ~kept & ~rejected
    columns[ROW] = pa.array(batch.rows, pa.int64())
    return Cleaned(
        table=pa.table(columns).filter(pa.array(kept)),
        filtered=int(filtered.sum()),
        filtered_keys=keys.filter(pa.array(filtered)).drop_null(),
        rejects=batch.rejects + _rejects(batch, file, faults, reason, rejected),
    )


def _chosen(table: pa.Table, plan: TablePlan, file: InputFile) -> tuple[Any, Any]:
    """Returns bool [rows] twice: not filtered by `where`, and not readable by it."""
    unreadable = np.zeros(len(table), dtype=bool)
    if plan.where is None:
        return ~unreadable, unreadable
    untyped = file.format != "parquet"
    held = _mask(rows_where(table, plan.where, untyped=untyped))
    if untyped:
        unreadable = _mask(unreadable_rows(table, plan.where))
    return held | unreadable, unreadable


def _join(columns: dict[str, Any], catalogue: Catalogue) -> tuple[Any, _Fault]:
    """Replaces item ids by positions; returns which were filtered and which unknown."""
    ids = columns[ITEM_ID]
    columns[ITEM_ID] = catalogue.positions(ids)
    left_out = _mask(catalogue.filters(ids))
    unknown = _mask(columns[ITEM_ID].is_null()) & ~left_out
    return left_out, _Fault("item not in the catalogue", unknown)


def _coerced(table: pa.Table, plan: TablePlan) -> tuple[dict[str, Any], list[_Fault]]:
    columns: dict[str, Any] = {}
    faults: list[_Fault] = []
    for column in plan.columns:
        arrays = [table.column(source).combine_chunks() for source in column.sources]
        columns[column.name], found = _coerce(arrays, column, plan)
        faults.extend(found)
    return columns, faults


def _coerce(
    arrays: list[Any], column: Column, plan: TablePlan
) -> tuple[Any, list[_Fault]]:
    name = column.name
    if column.values is Values.NUMBER:
        values, bad = as_numbers(arrays[0])
        return values, [_Fault(f"unparsable number in {name}", bad)]
    if column.values is Values.TIMESTAMP:
        values, bad = as_seconds(arrays[0], plan.timezone)
        missing = pc.and_not(values.is_null(), bad)
        return values, [
            _Fault(f"unparsable {name}", bad),
            _Fault(f"no {name}", missing),
        ]
    text = _joined([as_text(array) for array in arrays])
    if column.values is Values.ID:
        return text, list(_id_faults(name, text))
    if name == EVENT_TYPE:
        types = pa.array(plan.event_types, pa.large_string())
        code = pc.index_in(text, value_set=types).cast(pa.int16())
        return code, [_Fault("event type without a weight", code.is_null())]
    return text, []


def _joined(texts: list[Any]) -> Any:
    if len(texts) == 1:
        return texts[0]
    space = pa.scalar(" ", pa.large_string())
    # pyarrow 25 drops a row in which every value is null from the joined column.
    missing = functools.reduce(pc.and_, [text.is_null() for text in texts])
    texts[0] = pc.if_else(missing, pa.scalar("", pa.large_string()), texts[0])
    return pc.binary_join_element_wise(*texts, space, null_handling="skip")


def _id_faults(name: str, ids: Any) -> Iterator[_Fault]:
    yield _Fault(f"no {name}", ids.is_null())
    broken = pc.fill_null(pc.match_substring_regex(ids, LINE_BREAKS), False)
    yield _Fault(f"line break in {name}", broken)


def _first_fault(faults: list[_Fault], rows: int) -> Any:
    """Returns int [rows]: the index of each row's first fault, -1 for none."""
    first = np.full(rows, -1)
    for index in reversed(range(len(faults))):
        first[_mask(faults[index].rows)] = index
    return first


def _rejects(
    batch: Batch, file: InputFile, faults: list[_Fault], reason: Any, rejected: Any
) -> tuple[Reject, ...]:
    rows = np.flatnonzero(rejected)
    contents = batch.table.take(pa.array(rows)).to_pylist() if len(rows) else []
    return tuple(
        Reject(file.label, int(batch.rows[row]), faults[reason[row]].reason, content)
        for row, content in zip(rows, contents, strict=True)
    )


def _mask(values: Any) -> Any:
    """Returns a bool array of rows; null counts as false."""
    if isinstance(values, np.ndarray):
        return values
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False)
