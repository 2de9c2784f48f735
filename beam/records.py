"""Makes the three kinds of records from clean tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
    sequences = dict(_sequences(events.table, plan, item_ids))
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


def _sequences(
    table: pa.Table, plan: TablePlan, item_ids: Any
) -> Iterator[tuple[str, _Sequence]]:
    """Yields each parallel sequence as a function from events to a feature."""
    yield ITEM_ID, _text_sequence(ITEM_ID, _looked_up(table.column(ITEM_ID), item_ids))
    if plan.constant_event_type is not None:
        constant = np.full(len(table), plan.constant_event_type.encode(), dtype=object)
        yield EVENT_TYPE, _text_sequence(EVENT_TYPE, constant)
    for column in plan.columns:
        values = None if column.name == USER_ID else table.column(column.name)
        if column.name == EVENT_TYPE:
            names = pa.array(plan.event_types, pa.large_string())
            yield EVENT_TYPE, _text_sequence(EVENT_TYPE, _looked_up(values, names))
        elif column.values is Values.TEXT:
            yield column.name, _text_sequence(column.name, _texts(values))
        elif column.values is Values.NUMBER:
            yield column.name, _sequence(number_entry, column.name, _numbers(values))
    timestamps = table.column(TIMESTAMP).to_pylist()
    yield TIMESTAMP, _sequence(integer_entry, TIMESTAMP, timestamps)


def _sequence(
    entry: Callable[[str, Any], bytes], name: str, values: list[Any]
) -> _Sequence:
    return lambda part: entry(name, values[part])


def _text_sequence(name: str, values: Any) -> _Sequence:
    return lambda part: text_entry(name, values[part].tolist())


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
