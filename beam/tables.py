"""Plans what a table's columns become, and checks the files' columns against it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tfrs_app.contract.config import ShopConfig, TableConfig
from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    PRICE,
    QUANTITY,
    SESSION_ID,
    TABLE_COLUMNS,
    TIMESTAMP,
    context_column,
)
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID, USER_ID, Feature, Kind, Role
from tfrs_app.contract.where import Condition, columns_of, parse_where


class Values(StrEnum):
    """What a column holds once it is clean."""

    ID = "id"
    """Text that is never missing and has no line break."""
    TEXT = "text"
    """Text; null where missing."""
    NUMBER = "number"
    """float64; null where missing."""
    TIMESTAMP = "timestamp"
    """int64 seconds since the epoch, UTC; never missing."""


@dataclass(frozen=True)
class Column:
    """Makes one clean column of one file column (or joins several texts)."""

    name: str
    sources: tuple[str, ...]
    values: Values


@dataclass(frozen=True)
class TablePlan:
    """Says everything that cleaning one table needs to know."""

    table: str
    columns: tuple[Column, ...]
    where: Condition | None = None
    timezone: str = "UTC"
    event_types: tuple[str, ...] = ()
    """Types with a weight, ascending; empty for items and users."""
    constant_event_type: str | None = None
    """Type of every event where the table has no such column."""

    @property
    def file_columns(self) -> tuple[str, ...]:
        """Returns the columns to read, ascending."""
        named = {source for column in self.columns for source in column.sources}
        return tuple(sorted(named | _filtered_by(self.where)))

    @property
    def key(self) -> str:
        """Returns the column by which rows are brought together."""
        return ITEM_ID if self.table == "items" else USER_ID

    def has(self, name: str) -> bool:
        """Tells whether the clean table has a column."""
        return any(column.name == name for column in self.columns)


_CONTRACT_VALUES = {
    USER_ID: Values.ID,
    ITEM_ID: Values.ID,
    TIMESTAMP: Values.TIMESTAMP,
    EVENT_TYPE: Values.TEXT,
    QUANTITY: Values.NUMBER,
    PRICE: Values.NUMBER,
    SESSION_ID: Values.TEXT,
}
ROLES = {
    "events": Role.CONTEXT,
    "items": Role.CANDIDATE,
    "users": Role.QUERY,
}


def plan_table(
    config: ShopConfig, table: str, file_name: str, file_columns: Sequence[str]
) -> TablePlan:
    """Plans a table whose file has the given columns.

    Raises:
        DataError: names the key of the YAML whose column the file lacks.
    """
    section: TableConfig = getattr(config.data, table)
    wanted = list(_wanted(config, table, section, frozenset(file_columns)))
    where = parse_where(section.where) if section.where else None
    named = [(key, source) for key, column in wanted for source in column.sources]
    named += [(f"data.{table}.where", c) for c in sorted(_filtered_by(where))]
    for key, source in named:
        if source not in file_columns:
            raise _lacks(file_name, key, source, file_columns)
    plan = TablePlan(table, tuple(column for _, column in wanted), where)
    if table != "events":
        return plan
    constant = None if plan.has(EVENT_TYPE) else config.data.events.event_type
    return TablePlan(
        table,
        plan.columns,
        where,
        timezone=config.data.events.timezone,
        event_types=tuple(sorted(config.event_weights)),
        constant_event_type=constant,
    )


def check_same_columns(
    plan: TablePlan, file_name: str, file_columns: Sequence[str]
) -> None:
    """Checks that a further file of a table has every column of the first one.

    Raises:
        DataError: it lacks one.
    """
    for column in plan.file_columns:
        if column not in file_columns:
            raise _lacks(file_name, f"data.{plan.table}.source", column, file_columns)


def _wanted(
    config: ShopConfig, table: str, section: TableConfig, present: frozenset[str]
) -> Iterator[tuple[str, Column]]:
    """Yields each column with the key of the YAML that asks for it."""
    required, optional = TABLE_COLUMNS[table]
    known = sorted(required | optional)
    for name in section.columns:
        if name not in known:
            raise DataError(
                f"data.{table}.columns.{name}: unknown column; {_closest(name, known)}"
            )
    for name in known:
        source = section.columns.get(name, name)
        if name in section.columns or name in required or name in present:
            key = f"data.{table}.columns.{name}"
            yield key, Column(name, (source,), _CONTRACT_VALUES[name])
    for feature in config.spec.of(ROLES[table]):
        if feature.kind is not Kind.TIMESTAMP:
            yield f"features.{feature.name}.columns", _feature_column(feature)


def column_name(feature: Feature) -> str:
    """Returns the name of a feature's clean column."""
    return (
        context_column(feature.name) if feature.role is Role.CONTEXT else feature.name
    )


def _feature_column(feature: Feature) -> Column:
    values = Values.TEXT if feature.kind.is_string else Values.NUMBER
    return Column(column_name(feature), feature.columns, values)


def _filtered_by(where: Condition | None) -> frozenset[str]:
    return columns_of(where) if where else frozenset()


def _lacks(file_name: str, key: str, column: str, existing: Sequence[str]) -> DataError:
    return DataError(
        f"{file_name}: lacks column {column!r}, which {key} names; "
        f"{_closest(column, existing)}"
    )


def _closest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}existing columns: {', '.join(map(repr, sorted(known)))}"
