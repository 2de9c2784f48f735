"""Makes the three kinds of records from clean tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from beam.examples import example_of, integer_entry, number_entry, text_entry
from beam.sequences import Histories, Record, records
from beam.tables import Column, TablePlan, Values
from tfrs_app.contract.dataset import EVENT_TYPE, TARGET_START, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, USER_ID

Entries: TypeAlias = dict[str, bytes]
"""Feature name -> its serialised feature."""
_Sequence: TypeAlias = Callable[[slice], bytes]


def row_records(table: pa.Table, columns: Iterable[Column]) -> Iterator[bytes]:
    """Yields one Example a row: every column as one value."""
    return (example_of(entries) for entries in row_entries(table, columns))


def row_entries(table: pa.Table, columns: Iterable[Column]) -> Iterator[Entries]:
    """Yields each row's columns as features of one value."""
    by_name = {c.name: _entries(table.column(c.name), c) for c in columns}
    for row in zip(*by_name.values(), strict=True):
        yield dict(zip(by_name, row, strict=True))


def sequence_records(
    events: Histories,
    plan: TablePlan,
    item_ids: Any,
    profiles: Mapping[str, Entries],
) -> Iterator[bytes]:
    """Yields one Example a user; several for a history longer than a record.

    Args:
        events: the sorted events of a shard.
        plan: of the events table.
        item_ids: the catalogue's ids, to which `item_id` points.
        profiles: user id -> query features.
    """
    columns = event_columns(events.table, plan, item_ids)
    sequences = {column.name: _sequence(column) for column in columns}
    unknown: Entries = {}
    for record in records(events.user, events.table.column(TIMESTAMP).to_numpy()):
        user_id = events.users[record.user]
        yield example_of(
            {
                **profiles.get(user_id, unknown),
                **_record_entries(record, user_id, sequences),
            }
        )


def _record_entries(
    record: Record, user_id: str, sequences: Mapping[str, _Sequence]
) -> Entries:
    part = slice(record.start, record.stop)
    return {
        USER_ID: text_entry(USER_ID, [user_id.encode()]),
        TARGET_START: integer_entry(TARGET_START, [record.target_start]),
        **{name: entry(part) for name, entry in sequences.items()},
    }


@dataclass(frozen=True)
class EventColumn:
    """Holds one column of all events of a shard: bytes, floats or integers."""

    name: str
    kind: str
    """`bytes_list`, `float_list` or `int64_list`."""
    values: Any


def event_columns(
    table: pa.Table, plan: TablePlan, item_ids: Any
) -> Iterator[EventColumn]:
    """Yields each column of a shard's sorted events, raw as a client would send it."""
    items = _looked_up(table.column(ITEM_ID), item_ids)
    yield EventColumn(ITEM_ID, "bytes_list", items)
    for column in plan.columns:
        values = None if column.name == USER_ID else table.column(column.name)
        if column.name == EVENT_TYPE:
            names = pa.array(plan.event_types, pa.large_string())
            yield EventColumn(EVENT_TYPE, "bytes_list", _looked_up(values, names))
        elif column.values is Values.TEXT:
            yield EventColumn(column.name, "bytes_list", _texts(values))
        elif column.values is Values.NUMBER:
            yield EventColumn(column.name, "float_list", _numbers(values))
    timestamps = table.column(TIMESTAMP).to_pylist()
    yield EventColumn(TIMESTAMP, "int64_list", timestamps)


def _sequence(column: EventColumn) -> _Sequence:
    if column.kind == "bytes_list":
        return lambda part: text_entry(column.name, column.values[part].tolist())
    entry = number_entry if column.kind == "float_list" else integer_entry
    return lambda part: entry(column.name, column.values[part])


def _entries(values: Any, column: Column) -> Any:
    """Returns an object array [rows] of features of one value."""
    if column.values is Values.NUMBER:
        return _objects([number_entry(column.name, [v]) for v in _numbers(values)])
    codes, distinct = _encoded(values)
    return _objects([text_entry(column.name, [text]) for text in distinct])[codes]


def _texts(values: Any) -> Any:
    """Returns an object array of bytes; missing ones are empty."""
    codes, distinct = _encoded(values)
    return _objects(distinct)[codes]


def _encoded(values: Any) -> tuple[Any, list[bytes]]:
    """Returns codes into distinct texts, of which the last one stands for missing."""
    encoded = values.combine_chunks().dictionary_encode()
    distinct = [text.encode() for text in encoded.dictionary.to_pylist()]
    return encoded.indices.fill_null(len(distinct)).to_numpy(), [*distinct, b""]


def _looked_up(codes: Any, ids: Any) -> Any:
    """Returns an object array of the bytes to which codes point."""
    distinct, places = np.unique(codes.to_numpy(), return_inverse=True)
    texts = ids.take(pa.array(distinct)).to_pylist()
    return _objects([text.encode() for text in texts])[places]


def _objects(values: list[bytes]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _numbers(values: Any) -> list[float]:
    """Returns floats; missing ones are NaN."""
    numbers: list[float] = values.fill_null(float("nan")).to_numpy().tolist()
    return numbers
