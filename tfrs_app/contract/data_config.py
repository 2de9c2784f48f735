"""The `data:` section of a shop's YAML: tables, and what becomes of their rows."""

from __future__ import annotations

import codecs
import itertools
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.gates import GatesConfig
from tfrs_app.contract.section import Count, Fraction, Positive, Section
from tfrs_app.contract.where import parse_where


def _moment(value: Any) -> Any:
    """Turns a YAML date, datetime or ISO 8601 text into an aware UTC datetime."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value


def _zone(value: Any) -> Any:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise ValueError(
            f"{value!r} is not a time zone; write for example Europe/Berlin"
        ) from error
    return value


def _where(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parse_where(value)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return value


def _encoding(value: Any) -> Any:
    try:
        codecs.lookup(value)
    except (LookupError, TypeError) as error:
        raise ValueError(
            f"{value!r} is not an encoding; write for example utf-8 or cp1252"
        ) from error
    return value


def _listed(value: Any) -> Any:
    """Makes one table a list of one."""
    return (value,) if isinstance(value, dict | EventsConfig) else value


Character = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[^\r\n]$")]
KeySource = Annotated[str, Field(pattern=r"^(env|file):.+$")]
Encoding = Annotated[str, BeforeValidator(_encoding)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Zone = Annotated[str, BeforeValidator(_zone)]
Where = Annotated[str, BeforeValidator(_where)]


class CsvConfig(Section):
    """Describes the dialect of CSV files."""

    delimiter: Character = ","
    quote: Character | None = '"'
    """Encloses values; null: a quotation mark is a character like any other."""
    escape: Character | None = None
    """Takes the next character's meaning away; null: a doubled quote is a quote."""
    encoding: Encoding = "utf-8"
    column_names: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Names of the columns of files that have no header line."""


PLAIN_CSV = CsvConfig()
"""Commas, double quotes, UTF-8, a header line."""


class TableConfig(Section):
    """Locates a table and maps its columns; unmapped columns keep their names."""

    source: str
    """A path, a glob, a `scheme://` URL that Beam's filesystems know, or
    `package:NAME/PATH` inside an installed Python package."""
    format: Literal["parquet", "csv", "jsonl"] | None = None
    """Told by the file name's ending where absent."""
    csv: CsvConfig = PLAIN_CSV
    columns: dict[str, str | None] = {}
    """Column of the contract or of a feature -> the file's column; null: none."""
    where: Where | None = None
    """Rows to keep, in terms of the file's columns, e.g. `quantity > 0`."""


class EventsConfig(TableConfig):
    """Adds what only events have: a time zone and types."""

    timezone: Zone = "UTC"
    """Zone of timestamps that carry none."""
    event_type: str = "purchase"
    """Type of every event where no `event_type` column is mapped."""
    event_types: dict[str, str | None] = {}
    """The file's value -> event type; null leaves such events out."""


class SplitConfig(Section):
    """Cuts time in three: train < validation_start <= validation < test_start <= test.

    Moments without a zone are UTC. Without `test_end` the test lasts to the end.
    """

    validation_start: Moment
    test_start: Moment
    test_end: Moment | None = None

    @model_validator(mode="after")
    def _ordered(self) -> SplitConfig:
        moments = [self.validation_start, self.test_start]
        moments += [self.test_end] if self.test_end else []
        if any(a >= b for a, b in itertools.pairwise(moments)):
            raise ValueError(
                "needs validation_start < test_start < test_end, received "
                + " , ".join(moment.isoformat() for moment in moments)
            )
        return self


class CoPurchasesConfig(Section):
    """Says what a basket is and which pairs of items bought together are kept."""

    within: Literal["session", "window"] | None = None
    """What holds a user's basket together; `session` where events have session ids."""
    window_hours: Positive = 24.0
    """Time after a basket's first purchase; also for those without a session id."""
    max_basket: Annotated[int, Field(ge=2)] = 200
    """Distinct items beyond which a basket tells too little about any pair."""
    min_baskets: Count = 2
    """Joint baskets before a pair is kept."""
    shrinkage: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)] = 5.0
    """Joint baskets, expected and seen, that are added to those of each pair."""
    top: Count = 50
    """Partners kept for each item."""


class DataConfig(Section):
    """Says where the three tables lie and how time is cut."""

    events: Annotated[
        tuple[EventsConfig, ...],
        BeforeValidator(_listed),
        Field(strict=False, min_length=1),
    ]
    """One table, or a list of tables with mappings of their own."""
    items: TableConfig
    users: TableConfig | None = None
    split: SplitConfig
    returns: Literal["cancel", "drop", "keep"] = "cancel"
    """What a negative quantity does: undoes earlier events of the same user, item and
    type, is left out, or stays an event."""
    hash_users: KeySource | None = None
    """`env:NAME` or `file:PATH` of the key of a keyed hash that replaces user ids."""
    since: Moment | None = None
    """Events before this moment come from the dataset `base`, not from the tables."""
    base: str | None = None
    """Id of a dataset; null: the newest one whose events all lie before `since`."""
    co_purchases: CoPurchasesConfig = CoPurchasesConfig()
    item_min_users: Count = 1
    """Distinct users of the training span before an item enters the id vocabulary."""
    max_rejected: Fraction = 0.01
    """Share of rejected rows of a table above which the job fails."""
    shards: Count = 4
    """Number of files of each kind in the dataset."""
    layout: Literal["sequences", "rows"] = "sequences"
    """Whether the dataset holds one record a training example beside the sequences."""
    row_history_length: Count = 50
    """Most recent earlier events that such a record shows."""
    gates: GatesConfig = GatesConfig()
    """Limits that a dataset keeps or is not published; no part of its identity."""

    @property
    def rows_shown(self) -> int | None:
        """Returns the events that a training row shows; None without such rows."""
        return self.row_history_length if self.layout == "rows" else None

    @model_validator(mode="after")
    def _base_needs_since(self) -> DataConfig:
        if self.base is not None and self.since is None:
            raise ValueError(
                f"base {self.base!r} without since; say from which moment on the "
                "tables' events are to be added"
            )
        return self
