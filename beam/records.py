"""Makes the three kinds of records from clean tables, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.examples import examples, integer_entries, number_entries, text_entries
from beam.sequences import Histories, Records, records
from beam.tables import Column, TablePlan, Values
from tfrs_app.contract.dataset import EVENT_TYPE, TARGET_START
from tfrs_app.contract.features import ITEM_ID, USER_ID

Entries: TypeAlias = dict[str, Any]
"""Feature name -> its serialised features, large_binary [records]."""

_ROWS = 65_536
_EVENTS = 262_144
"""About how many rows or events are serialised at a time."""


@dataclass(frozen=True)
class Profiles:
    """Holds the query features of users; `ids` and each entry are [users]."""

    ids: Any = field(default_factory=lambda: pa.array([], pa.large_string()))
    entries: Entries = field(default_factory=dict)

    def of(self, ids: Any) -> Entries:
        """Returns the features of some users, null where one has no profile."""
        places = pc.index_in(ids, value_set=self.ids)
        return {name: entry.take(places) for name, entry in self.entries.items()}


def row_records(table: pa.Table, columns: Iterable[Column]) -> Iterator[Any]:
    """Yields arrays of one Example a row: every column as one value."""
    columns = tuple(columns)
    for start in range(0, len(table), _ROWS):
        yield examples(row_entries(table.slice(start, _ROWS), columns))


def row_entries(table: pa.Table, columns: Iterable[Column]) -> Entries:
    """Returns each row's columns as features of one value."""
    splits = np.arange(len(table) + 1)
    return {column.name: _entries(table, column, splits) for column in columns}


def sequence_records(
    events: Histories, plan: TablePlan, item_ids: Any, profiles: Profiles
) -> Iterator[Any]:
    """Yields arrays of one Example a user; several for a history longer than a record.

    Args:
        events: the sorted events of a shard.
        plan: of the events table.
        item_ids: the catalogue's ids, to which `item_id` points.
        profiles: the users' query features.
    """
    names = {
        ITEM_ID: item_ids,
        EVENT_TYPE: pa.array(plan.event_types, pa.large_string()),
    }
    users = pa.array(events.users, pa.large_string())
    for part in records(events.user).batches(_EVENTS):
        ids = users.take(pa.array(part.user))
        yield examples(
            {
                **profiles.of(ids),
                **_record_entries(part, ids),
                **_sequences(events.table.take(part.events), part, plan, names),
            }
        )


def _record_entries(part: Records, ids: Any) -> Entries:
    one = np.arange(len(ids) + 1)
    return {
        USER_ID: text_entries(USER_ID, ids, one),
        TARGET_START: integer_entries(TARGET_START, part.target_start, one),
    }


def _sequences(
    table: pa.Table, part: Records, plan: TablePlan, names: Mapping[str, Any]
) -> Entries:
    """Returns the parallel sequences; `names` holds the texts of columns of codes."""
    entries = {}
    for column in plan.columns:
        if column.name in names:
            codes = table.column(column.name).combine_chunks()
            texts = _looked_up(codes, names[column.name])
            entries[column.name] = text_entries(column.name, texts, part.splits)
        elif column.name != USER_ID:
            entries[column.name] = _entries(table, column, part.splits)
    return entries


def _looked_up(codes: Any, names: Any) -> Any:
    """Returns the texts to which codes point, distinct ones once where that is less."""
    if len(names) > len(codes):
        return names.take(codes)
    return pa.DictionaryArray.from_arrays(codes, names)


def _entries(table: pa.Table, column: Column, splits: Any) -> Any:
    values = table.column(column.name).combine_chunks()
    if column.values is Values.NUMBER:
        numbers = values.fill_null(float("nan")).to_numpy()
        return number_entries(column.name, numbers, splits)
    if column.values is Values.TIMESTAMP:
        return integer_entries(column.name, values.to_numpy(), splits)
    return text_entries(column.name, values, splits)
