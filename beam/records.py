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
from tfrs_app.contract.dataset import EVENT_TYPE, TARGET_START, TIMESTAMP
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
    columns = tuple(columns)
    splits = np.arange(len(table) + 1)
    arrays = {c.name: table.column(c.name).combine_chunks() for c in columns}
    return {c.name: _entries(c.name, arrays[c.name], c.values, splits) for c in columns}


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
    texts = coded_texts(plan, item_ids)
    features = {c.name: c.name for c in plan.columns if c.name != USER_ID}
    users = pa.array(events.users, pa.large_string())
    times = events.table.column(TIMESTAMP).to_numpy()
    for part in records(events.user, times).batches(_EVENTS):
        ids = users.take(pa.array(part.user))
        yield examples(
            {
                **profiles.of(ids),
                **_record_entries(part, ids),
                **sequences(
                    events.table.take(part.events), part.splits, plan, texts, features
                ),
            }
        )


def _record_entries(part: Records, ids: Any) -> Entries:
    one = np.arange(len(ids) + 1)
    return {
        USER_ID: text_entries(USER_ID, ids, one),
        TARGET_START: integer_entries(TARGET_START, part.target_start, one),
    }


def coded_texts(plan: TablePlan, item_ids: Any) -> dict[str, Any]:
    """Returns the texts to which the columns of codes point."""
    types = pa.array(plan.event_types, pa.large_string())
    return {ITEM_ID: item_ids, EVENT_TYPE: types}


def sequences(
    table: pa.Table,
    splits: Any,
    plan: TablePlan,
    texts: Mapping[str, Any],
    features: Mapping[str, str],
) -> Entries:
    """Returns columns of events as features.

    Args:
        table: the events of all records, one after the other.
        splits: int64 [records + 1], where each record's events begin and end.
        plan: of the events table.
        texts: of the columns of codes.
        features: column -> name of the feature that it becomes.
    """
    entries = {}
    for column in plan.columns:
        if column.name not in features:
            continue
        name, values = features[column.name], table.column(column.name).combine_chunks()
        if column.name in texts:
            values = _looked_up(values, texts[column.name])
            entries[name] = text_entries(name, values, splits)
        else:
            entries[name] = _entries(name, values, column.values, splits)
    return entries


def _looked_up(codes: Any, names: Any) -> Any:
    """Returns the texts to which codes point, distinct ones once where that is less."""
    if len(names) > len(codes):
        return names.take(codes)
    return pa.DictionaryArray.from_arrays(codes, names)


def _entries(name: str, values: Any, kind: Values, splits: Any) -> Any:
    if kind is Values.NUMBER:
        numbers = values.fill_null(float("nan")).to_numpy()
        return number_entries(name, numbers, splits)
    if kind is Values.TIMESTAMP:
        return integer_entries(name, values.to_numpy(), splits)
    return text_entries(name, values, splits)
