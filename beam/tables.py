"""What a clean table looks like, and how the rows of each source become it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tfrs_app.contract.features import ITEM_ID, USER_ID
from tfrs_app.contract.privacy import NOBODY, Forgotten, UserKey
from tfrs_app.contract.where import Condition, columns_of


class Values(StrEnum):
    """What a column holds once it is clean."""

    ID = "id"
    """Text that is never missing and has no line break."""
    TEXT = "text"
    """Text; null where missing."""
    NUMBER = "number"
    """float32; null where missing."""
    TIMESTAMP = "timestamp"
    """int64 seconds since the epoch, UTC; never missing."""


@dataclass(frozen=True)
class Column:
    """Names a clean column and what it holds."""

    name: str
    values: Values


@dataclass(frozen=True)
class TablePlan:
    """Describes a clean table, whatever its sources look like."""

    table: str
    columns: tuple[Column, ...]
    event_types: tuple[str, ...] = ()
    """Types with a weight, ascending; empty for items and users."""

    @property
    def key(self) -> str:
        """Returns the column by which rows are brought together."""
        return ITEM_ID if self.table == "items" else USER_ID

    def has(self, name: str) -> bool:
        """Tells whether the clean table has a column."""
        return any(column.name == name for column in self.columns)


@dataclass(frozen=True)
class SourcePlan:
    """Says how the rows of one source become rows of the clean table."""

    table: TablePlan
    origins: Mapping[str, tuple[str, ...]]
    """Clean column -> the file's columns (texts are joined); none: always missing."""
    where: Condition | None = None
    timezone: str = "UTC"
    event_type: str | None = None
    """Type of every event of a source without such a column."""
    event_types: Mapping[str, str | None] = field(default_factory=dict)
    """The file's value -> type, None: left out; other values are types themselves."""
    since_s: int | None = None
    """Events before this second are left out."""
    until_s: int | None = None
    """Events from this second on are left out."""
    drop_returns: bool = False
    user_key: UserKey | None = None
    forgotten: Forgotten = NOBODY

    @property
    def file_columns(self) -> tuple[str, ...]:
        """Returns the columns to read, ascending."""
        named = {origin for origins in self.origins.values() for origin in origins}
        return tuple(sorted(named | self.filtered_by))

    @property
    def filtered_by(self) -> frozenset[str]:
        """Returns the file's columns that `where` names."""
        return columns_of(self.where) if self.where else frozenset()
