"""What `quality.json` holds: counts that tell how sound a dataset is.

All figures are counts; shares are quotients of two of them. So the bytes depend on the
rows only, and a reader of two datasets can compare them exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.features import ITEM_ID, Kind

QUALITY = "quality.json"
LISTED_TOKENS = 50
"""Most frequent tokens that a distribution lists one by one."""
HISTOGRAM_BINS = 256
"""Bins of a numeric distribution, equally filled as far as equal values allow."""
HOURS_OF_WEEK = 168


class _Counts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Checked(_Counts):
    """Counts the values of a column in some rows."""

    rows: int = 0
    nulls: int = 0
    oov: int = 0
    """Values that the vocabulary lacks; 0 where there is none."""

    @property
    def null_rate(self) -> float:
        """Returns the share of rows without a value."""
        return share(self.nulls, self.rows)

    @property
    def oov_rate(self) -> float:
        """Returns the share of values outside the vocabulary."""
        return share(self.oov, self.rows - self.nulls)


class Tokens(_Counts):
    """Counts the most frequent tokens, all others and the missing ones."""

    listed: dict[str, int]
    """Most frequent first, ties by bytes."""
    other: int
    nulls: int


class Histogram(_Counts):
    """Counts numbers in bins that do not overlap, ascending."""

    low: list[float]
    """Lower bound of each bin, which the bin contains."""
    high: list[float]
    """Greatest value of each bin; equals `low` where a bin holds one value."""
    count: list[int]
    nulls: int


Distribution: TypeAlias = Tokens | Histogram


class ColumnQuality(_Counts):
    """Describes a column of a table: a feature's, or one of the contract."""

    table: str
    kind: str
    """Of the feature; `contract` for price, quantity and session_id."""
    type: str
    """What the records hold: text or number."""
    columns: list[str]
    """The feature's columns, in its own terms."""
    spans: dict[str, Checked]
    """Of the events' spans; `all` for items and users."""
    distribution: Distribution | None
    """Over all rows; None for free text and sessions."""

    @property
    def has_vocabulary(self) -> bool:
        """Tells whether values can be outside a vocabulary."""
        return self.kind in (Kind.CATEGORICAL, Kind.ID)

    @property
    def is_constant(self) -> bool:
        """Tells whether every row has the same value."""
        counts = self.distribution
        if isinstance(counts, Tokens):
            return len(counts.listed) == 1 and not counts.other + counts.nulls
        return counts is not None and len(counts.low) == 1 and not counts.nulls

    @property
    def total(self) -> Checked:
        """Returns the counts over all spans."""
        parts = self.spans.values()
        return Checked(
            rows=sum(part.rows for part in parts),
            nulls=sum(part.nulls for part in parts),
            oov=sum(part.oov for part in parts),
        )

    @property
    def judged(self) -> Checked:
        """Returns the counts of the test span, or of a whole table without spans."""
        return self.spans["test"] if "test" in self.spans else self.spans["all"]


class TimeQuality(_Counts):
    """Tells when events happened; days and hours are UTC's."""

    first: str
    last: str
    days: int
    """From the first event's day to the last one's."""
    days_without_events: int
    events_a_day: dict[str, float]
    """`min`, `median` and `max` over those days."""
    hours_of_week: list[int]
    """Events in each hour, from Monday 0 o'clock on."""


class ItemQuality(_Counts):
    """Tells how events spread over the catalogue."""

    catalogue: int
    orphans: int
    """Items that no event names."""
    top_items: int
    """A hundredth of the catalogue, rounded up."""
    top_events: int
    """Events of the `top_items` most frequent items."""
    spans: dict[str, Checked]
    """Events by span, and those whose item the vocabulary lacks."""
    popularity: Tokens

    @property
    def column(self) -> ColumnQuality:
        """Returns the events' item ids as a column like any other."""
        return ColumnQuality(
            table="events",
            kind=Kind.ID,
            type="text",
            columns=[ITEM_ID],
            spans=self.spans,
            distribution=self.popularity,
        )


class UserQuality(_Counts):
    """Tells how events spread over users."""

    with_events: int
    spans: dict[str, int]
    """Users with an event in each span."""
    new_in_test: int
    """Users of the test span without an earlier event."""
    events_a_user: Histogram
    quantiles: dict[str, int]
    """Smallest number of events that such a share of users does not exceed."""


class Quality(_Counts):
    """Describes a dataset's rows."""

    rows: dict[str, int]
    features: dict[str, ColumnQuality]
    contract_columns: dict[str, ColumnQuality]
    labels: dict[str, dict[str, int]]
    """Event type -> events in each span."""
    time: TimeQuality
    items: ItemQuality
    users: UserQuality


def share(part: int, whole: int) -> float:
    """Returns part / whole, 0 of nothing."""
    return part / whole if whole else 0.0


def read_quality(folder: Path) -> Quality:
    """Reads a dataset's quality.json.

    Raises:
        ArtifactError: an earlier version made the dataset, or the file is damaged.
    """
    path = folder / QUALITY
    try:
        return Quality.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{path}: absent, an earlier version made this dataset; delete the folder "
            "and run `prepare` again"
        ) from error
    except ValidationError as error:
        raise ArtifactError(
            f"{path}: is not what this version writes ({error.error_count()} faults); "
            "delete the folder and run `prepare` again"
        ) from error
