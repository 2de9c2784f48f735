"""Plans a table from its config and its files' columns, and checks one by the other."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from beam.tables import Column, SourcePlan, TablePlan, Values
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.data_config import EventsConfig, TableConfig
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
from tfrs_app.contract.privacy import UserKey
from tfrs_app.contract.where import parse_where

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


@dataclass(frozen=True)
class TableSource:
    """Holds a section of the YAML and the columns of its first file.

    `stored` marks a dataset that an earlier job made: its columns are clean ones.
    """

    section: TableConfig
    key: str
    file_name: str
    file_columns: Sequence[str]
    stored: bool = False


def plan_table(
    config: ShopConfig, table: str, sources: Sequence[TableSource]
) -> tuple[TablePlan, tuple[SourcePlan, ...]]:
    """Plans a table and each of its sources.

    Raises:
        DataError: names the key of the YAML whose column a file lacks.
    """
    origins = [_origins(config, table, source) for source in sources]
    columns = tuple(_columns(config, table, frozenset().union(*origins)))
    types = tuple(sorted(config.event_weights)) if table == "events" else ()
    plan = TablePlan(table, columns, types)
    pairs = zip(sources, origins, strict=True)
    return plan, tuple(_source_plan(config, plan, *pair) for pair in pairs)


def check_same_columns(
    plan: SourcePlan, key: str, file_name: str, file_columns: Sequence[str]
) -> None:
    """Checks that a further file of a source has every column of the first one.

    Raises:
        DataError: it lacks one.
    """
    for column in plan.file_columns:
        if column not in file_columns:
            raise _lacks(file_name, f"{key}.source", column, file_columns)


def column_name(feature: Feature) -> str:
    """Returns the name of a feature's clean column."""
    return (
        context_column(feature.name) if feature.role is Role.CONTEXT else feature.name
    )


def stored_features(config: ShopConfig, table: str) -> tuple[Feature, ...]:
    """Returns the features that have a column of their own in a table."""
    features = config.spec.of(ROLES[table])
    return tuple(f for f in features if f.kind is not Kind.TIMESTAMP)


def _columns(config: ShopConfig, table: str, present: frozenset[str]) -> Iterator[Any]:
    required, optional = TABLE_COLUMNS[table]
    for name in sorted(required | (optional & present)):
        yield Column(name, _CONTRACT_VALUES[name])
    for feature in stored_features(config, table):
        text = feature.kind.is_string
        yield Column(column_name(feature), Values.TEXT if text else Values.NUMBER)


def _source_plan(
    config: ShopConfig,
    plan: TablePlan,
    source: TableSource,
    origins: dict[str, tuple[str, ...]],
) -> SourcePlan:
    section = source.section
    where = parse_where(section.where) if section.where else None
    made = SourcePlan(
        plan,
        {column.name: origins.get(column.name, ()) for column in plan.columns},
        where,
        drop_returns=config.data.returns == "drop",
        user_key=None if source.stored else UserKey.of(config.data.hash_users),
    )
    for column in sorted(made.filtered_by):
        if column not in source.file_columns:
            key = f"{source.key}.where"
            raise _lacks(source.file_name, key, column, source.file_columns)
    if not isinstance(section, EventsConfig):
        return made
    constant = None if origins[EVENT_TYPE] else section.event_type
    since = int(config.data.since.timestamp()) if config.data.since else None
    return replace(
        made,
        since_s=None if source.stored else since,
        until_s=since if source.stored else None,
        timezone=section.timezone,
        event_type=constant,
        event_types=section.event_types,
    )


def _origins(
    config: ShopConfig, table: str, source: TableSource
) -> dict[str, tuple[str, ...]]:
    """Returns clean column -> the columns of a source; without those it lacks."""
    present = frozenset(source.file_columns)
    if source.stored:
        names = [*_CONTRACT_VALUES, *map(column_name, stored_features(config, table))]
        return {name: (name,) for name in names if name in present}
    found = {}
    for key, name, origins in _wanted(config, table, source):
        for origin in origins:
            if origin not in present:
                raise _lacks(source.file_name, key, origin, source.file_columns)
        found[name] = origins
    return found


def _wanted(
    config: ShopConfig, table: str, source: TableSource
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yields (key of the YAML that asks for it, clean column, the file's columns)."""
    required, optional = TABLE_COLUMNS[table]
    features = stored_features(config, table)
    of_features = {column for feature in features for column in feature.columns}
    mapping, key = source.section.columns, f"{source.key}.columns"
    _check_mapping(mapping, key, required, required | optional | of_features)
    for name in sorted(required | optional):
        origin = mapping.get(name, name)
        asked = name in mapping or name in required or _maps_types(source, name)
        if origin is not None and (asked or name in source.file_columns):
            yield f"{key}.{name}", name, (origin,)
        elif name == EVENT_TYPE:
            yield key, name, ()
    for feature in features:
        mapped = [(column, mapping.get(column, column)) for column in feature.columns]
        origins = tuple(origin for _, origin in mapped if origin is not None)
        asks = next((f"{key}.{c}" for c, _ in mapped if c in mapping), None)
        asks = asks or f"features.{feature.name}.columns"
        yield asks, column_name(feature), origins


def _check_mapping(
    mapping: dict[str, str | None],
    key: str,
    required: frozenset[str],
    known: frozenset[str] | set[str],
) -> None:
    for name, origin in mapping.items():
        if name not in known:
            raise DataError(f"{key}.{name}: unknown column; {_closest(name, known)}")
        if origin is None and name in required:
            raise DataError(f"{key}.{name}: cannot be null; name the file's column")


def _maps_types(source: TableSource, name: str) -> bool:
    section = source.section
    return (
        name == EVENT_TYPE
        and isinstance(section, EventsConfig)
        and bool(section.event_types)
    )


def _lacks(file_name: str, key: str, column: str, existing: Sequence[str]) -> DataError:
    return DataError(
        f"{file_name}: lacks column {column!r}, which {key} names; "
        f"{_closest(column, existing)}"
    )


def _closest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}existing columns: {', '.join(map(repr, sorted(known)))}"
