"""Turns a batch of a file's rows into clean contract columns, rejects and a count."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.batches import Batch, Reject
from beam.catalogue import Catalogue
from beam.coercion import as_distinct, as_numbers, as_seconds, as_text, plain
from beam.filters import rows_where, unreadable_rows
from beam.sources import InputFile
from beam.tables import Column, SourcePlan, Values
from tfrs_app.contract.dataset import EVENT_TYPE, QUANTITY, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, USER_ID

ROW = "__row__"
"""Column of the row's number in its file; it orders duplicates."""
LINE_BREAKS = "[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
"""What ends a line for some reader of a vocabulary file."""


@dataclass(frozen=True)
class Cleaned:
    """Holds what became of a batch: rows_in = table.num_rows + filtered + rejects.

    `table` has the plan's columns and the row number. For events `item_id` is the
    position in the catalogue, `event_type` the index in the plan's event types, and
    other texts are dictionary-encoded: few of them are distinct.
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
    batch: Batch, plan: SourcePlan, file: InputFile, catalogue: Catalogue | None = None
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
    chosen &= ~_left_out(batch.table, columns, plan)
    keys = columns[plan.table.key]
    if catalogue is not None:
        outside, fault = _join(columns, catalogue)
        faults.append(fault)
    else:
        outside = np.zeros(len(chosen), dtype=bool)
    reason = _first_fault(faults, len(chosen))
    rejected = chosen & (reason >= 0)
    kept = chosen & (reason < 0) & ~outside
    filtered = ~kept & ~rejected
    columns[ROW] = pa.array(batch.rows, pa.int64())
    return Cleaned(
        table=pa.table(columns).filter(pa.array(kept)),
        filtered=int(filtered.sum()),
        filtered_keys=plain(keys.filter(pa.array(filtered)).drop_null()),
        rejects=(
            *(_without_content(reject, plan) for reject in batch.rejects),
            *_rejects(batch, plan, file, faults, reason, rejected),
        ),
    )


def _chosen(table: pa.Table, plan: SourcePlan, file: InputFile) -> tuple[Any, Any]:
    """Returns bool [rows] twice: not filtered by `where`, and not readable by it."""
    unreadable = np.zeros(len(table), dtype=bool)
    if plan.where is None:
        return ~unreadable, unreadable
    untyped = file.format != "parquet"
    held = _mask(rows_where(table, plan.where, untyped=untyped))
    if untyped:
        unreadable = _mask(unreadable_rows(table, plan.where))
    return held | unreadable, unreadable


def _left_out(table: pa.Table, columns: dict[str, Any], plan: SourcePlan) -> Any:
    """Returns bool [rows]: rows that the config or a forgotten user's wish leaves out.

    Replaces user ids by their keyed hashes on the way.
    """
    left_out = np.zeros(len(table), dtype=bool)
    if plan.since_s is not None:
        left_out |= _mask(pc.less(columns[TIMESTAMP], plan.since_s))
    if plan.until_s is not None:
        left_out |= _mask(pc.greater_equal(columns[TIMESTAMP], plan.until_s))
    if plan.drop_returns and QUANTITY in columns:
        left_out |= _mask(pc.less(columns[QUANTITY], 0))
    unwanted = [name for name, kind in plan.event_types.items() if kind is None]
    if unwanted:
        (origin,) = plan.origins[EVENT_TYPE]
        values = pa.array(unwanted, pa.large_string())
        found = pc.is_in(as_text(table.column(origin).combine_chunks()), values)
        left_out |= _mask(found)
    if USER_ID in columns:
        columns[USER_ID], gone = _pseudonyms(columns[USER_ID], plan)
        left_out |= gone
    return left_out


def _pseudonyms(users: Any, plan: SourcePlan) -> tuple[Any, Any]:
    """Returns the users as datasets name them, and bool [rows]: who is forgotten."""
    if plan.user_key is None and not plan.forgotten.digests:
        return users, np.zeros(len(users), dtype=bool)
    encoded = users.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if plan.user_key is not None:
        names = [plan.user_key.pseudonym(name) for name in names]
    gone = pa.array([name in plan.forgotten for name in names], pa.bool_())
    dictionary = pa.array(names, pa.large_string())
    coded = pa.DictionaryArray.from_arrays(encoded.indices, dictionary)
    named = coded if pa.types.is_dictionary(users.type) else coded.dictionary_decode()
    return named, _mask(gone.take(encoded.indices))


def _join(columns: dict[str, Any], catalogue: Catalogue) -> tuple[Any, _Fault]:
    """Replaces item ids by positions; returns which were filtered and which unknown."""
    ids = columns[ITEM_ID]
    columns[ITEM_ID] = catalogue.positions(ids.dictionary).take(ids.indices)
    left_out = _mask(catalogue.filters(ids.dictionary).take(ids.indices))
    unknown = _mask(columns[ITEM_ID].is_null()) & ~left_out
    return left_out, _Fault("item not in the catalogue", unknown)


def _coerced(table: pa.Table, plan: SourcePlan) -> tuple[dict[str, Any], list[_Fault]]:
    columns: dict[str, Any] = {}
    faults: list[_Fault] = []
    for column in plan.table.columns:
        origins = plan.origins[column.name]
        arrays = [table.column(origin).combine_chunks() for origin in origins]
        columns[column.name], found = _coerce(arrays, column, plan, len(table))
        faults.extend(found)
    return columns, faults


def _coerce(
    arrays: list[Any], column: Column, plan: SourcePlan, rows: int
) -> tuple[Any, list[_Fault]]:
    name = column.name
    if name == EVENT_TYPE:
        return _event_types(arrays, plan, rows)
    if column.values is Values.TIMESTAMP:
        values, bad = as_seconds(arrays[0], plan.timezone)
        missing = pc.and_not(values.is_null(), bad)
        return values, [
            _Fault(f"unparsable {name}", bad),
            _Fault(f"no {name}", missing),
        ]
    if column.values is Values.NUMBER:
        values, bad = as_numbers(arrays[0] if arrays else pa.nulls(rows, pa.float64()))
        narrow = values.cast(pa.float32(), safe=False)  # as records hold them
        infinite = pc.fill_null(pc.is_inf(narrow), False)
        return narrow, [_Fault(f"unparsable number in {name}", pc.or_(bad, infinite))]
    text = _text(arrays, plan, rows)
    if column.values is Values.ID:
        return text, list(_id_faults(name, text))
    return text, []


def _text(arrays: list[Any], plan: SourcePlan, rows: int) -> Any:
    if plan.table.table == "events":
        return as_distinct(arrays[0] if arrays else pa.nulls(rows, pa.large_string()))
    if not arrays:
        return pa.nulls(rows, pa.large_string())
    return _joined([as_text(array) for array in arrays])


def _event_types(
    arrays: list[Any], plan: SourcePlan, rows: int
) -> tuple[Any, list[_Fault]]:
    """Returns int16 [rows]: indices in the plan's event types."""
    types = plan.table.event_types
    if plan.event_type is not None:
        code = types.index(plan.event_type)
        return pa.array(np.full(rows, code, dtype=np.int16)), []
    text = as_text(arrays[0])
    if plan.event_types:
        encoded = text.dictionary_encode()
        names = [plan.event_types.get(n, n) for n in encoded.dictionary.to_pylist()]
        text = pa.array(names, pa.large_string()).take(encoded.indices)
    code = pc.index_in(text, value_set=pa.array(types, pa.large_string()))
    fault = _Fault("event type without a weight", code.is_null())
    return code.cast(pa.int16()), [fault]


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
    if pa.types.is_dictionary(ids.type):
        broken = pc.match_substring_regex(ids.dictionary, LINE_BREAKS).take(ids.indices)
    else:
        broken = pc.match_substring_regex(ids, LINE_BREAKS)
    yield _Fault(f"line break in {name}", pc.fill_null(broken, False))


def _first_fault(faults: list[_Fault], rows: int) -> Any:
    """Returns int [rows]: the index of each row's first fault, -1 for none."""
    first = np.full(rows, -1)
    for index in reversed(range(len(faults))):
        first[_mask(faults[index].rows)] = index
    return first


def _rejects(
    batch: Batch,
    plan: SourcePlan,
    file: InputFile,
    faults: list[_Fault],
    reason: Any,
    rejected: Any,
) -> Iterator[Reject]:
    rows = np.flatnonzero(rejected)
    contents = batch.table.take(pa.array(rows)).to_pylist() if len(rows) else []
    for row, content in zip(rows, contents, strict=True):
        reject = Reject(
            file.label, int(batch.rows[row]), faults[reason[row]].reason, content
        )
        yield _without_user(reject, plan)


def _without_user(reject: Reject, plan: SourcePlan) -> Reject:
    """Hides the user's id in a reject's content, where ids are to be hashed."""
    if plan.user_key is None:
        return reject
    content = {
        name: None if name in plan.origins.get(USER_ID, ()) else value
        for name, value in reject.content.items()
    }
    return replace(reject, content=content)


def _without_content(reject: Reject, plan: SourcePlan) -> Reject:
    """Hides a line that could not be read, where ids are to be hashed."""
    return reject if plan.user_key is None else replace(reject, content=None)


def _mask(values: Any) -> Any:
    """Returns a bool array of rows; null counts as false."""
    if isinstance(values, np.ndarray):
        return values
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False)
