"""What splits and shards report, and the audit that nothing got lost between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from beam.failures import Failure
from beam.sinks import atomic_file
from beam.statistics import Partial
from beam.written import check_written
from tfrs_app.contract.artifacts import FileRecord
from tfrs_app.contract.dataset import FORGOTTEN
from tfrs_app.contract.errors import DataError, UserError
from tfrs_app.version import __version__

Counts: TypeAlias = dict[str, Any]

_TOP_REASONS = 3


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Report(_Part):
    """Travels as a file from a worker to the driver."""

    tfrs_app: str = __version__

    def save(self, path: Path) -> None:
        """Writes the report atomically."""
        with atomic_file(path) as file:
            file.write(self.model_dump_json().encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a report.

        Raises:
            RuntimeError: the worker that should have written it never ran.
            UserError: the worker runs another version.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise RuntimeError(
                f"{path.name} is missing in {path.parent}: the runner skipped work "
                "without an error; report this with the runner's name"
            ) from error
        version = json.loads(content).get("tfrs_app")
        if version != __version__:
            raise UserError(
                f"a worker runs tfrs-app {version} and the driver {__version__}; "
                "install one version on all machines and restart the workers"
            )
        return cls.model_validate_json(content)


class SplitReport(Report):
    """Tells what became of a split's rows."""

    split: int
    rows_in: int = 0
    filtered: int = 0
    rejected: dict[str, int] = {}
    first_rejected: dict[str, str] = {}
    """Reason -> file and row of its first case."""
    sent: list[int] = []
    """Rows sent to each shard."""
    files: dict[Path, FileRecord] = {}
    failure: Failure | None = None


class EventCounts(_Part):
    """Counts the events of a shard."""

    first: int
    last: int
    spans: dict[str, int]
    by_type: dict[str, int]
    users: int
    profiled: int


class BasketCounts(_Part):
    """Counts the baskets of a shard."""

    baskets: int = 0
    too_large: int = 0
    rows: int = 0
    """Distinct items, summed over the baskets that are not too large."""


class ShardReport(Report):
    """Tells what a shard received and wrote."""

    shard: int
    received: dict[int, int]
    """Rows from each split."""
    rows_out: int
    duplicates: int
    returned: int = 0
    records: int
    files: dict[Path, FileRecord]
    partial: Partial = Partial()
    events: EventCounts | None = None
    baskets: BasketCounts = BasketCounts()


class ItemRangeReport(Report):
    """Tells what was written of one range of the catalogue."""

    records: int
    files: dict[Path, FileRecord]


class TableReport(Report):
    """Holds the audited reports of one table, in the order of splits and shards."""

    table: str
    splits: list[SplitReport]
    shards: list[ShardReport]
    skipped: int = 0
    """Rows that were filtered without being read."""

    @property
    def counts(self) -> Counts:
        """Returns the row balance."""
        reasons: Counter[str] = Counter()
        for split in self.splits:
            reasons.update(split.rejected)
        return {
            "rows_in": sum(split.rows_in for split in self.splits) + self.skipped,
            "rows_out": sum(shard.rows_out for shard in self.shards),
            "filtered": sum(split.filtered for split in self.splits) + self.skipped,
            "rejected": sum(reasons.values()),
            "duplicates": sum(shard.duplicates for shard in self.shards),
            "returned": sum(shard.returned for shard in self.shards),
            FORGOTTEN: 0,
            "rejected_by_reason": dict(reasons.most_common()),
        }


NO_ROWS: Counts = {
    "rows_in": 0,
    "rows_out": 0,
    "filtered": 0,
    "rejected": 0,
    "duplicates": 0,
    "returned": 0,
    FORGOTTEN: 0,
    "rejected_by_reason": {},
}
"""The balance of a table that a shop does not have."""


def split_path(folder: Path, split: int) -> Path:
    """Returns where a split's report lies."""
    return folder / f"split-{split:05d}.json"


def shard_path(folder: Path, shard: int) -> Path:
    """Returns where a shard's report lies."""
    return folder / f"shard-{shard:05d}.json"


def range_path(folder: Path, index: int) -> Path:
    """Returns where the report of a range of items lies."""
    return folder / f"item-range-{index:05d}.json"


def audited(folder: Path, table: str, splits: int, shards: int) -> TableReport:
    """Reads the reports of a stage, checks that they balance and that the files exist.

    Raises:
        UserError: a worker met a user's mistake, or runs another version.
        RuntimeError: the runner lost or repeated rows, or a file is not as reported.
    """
    of_splits = [SplitReport.load(split_path(folder, i)) for i in range(splits)]
    for report in of_splits:
        if report.failure:
            raise report.failure.error
    of_shards = [ShardReport.load(shard_path(folder, i)) for i in range(shards)]
    _check_balance(table, of_splits, of_shards)
    for split in of_splits:
        check_written(split.files)
    for shard in of_shards:
        check_written(shard.files)
    return TableReport(table=table, splits=of_splits, shards=of_shards)


def audited_ranges(folder: Path, items: int, ranges: int) -> None:
    """Checks that the ranges of the catalogue hold all of its items.

    Raises:
        UserError: a worker runs another version.
        RuntimeError: the runner lost or repeated items, or a file is not as reported.
    """
    reports = [ItemRangeReport.load(range_path(folder, i)) for i in range(ranges)]
    written = sum(report.records for report in reports)
    if written != items:
        raise RuntimeError(f"items: {written} of {items} items were written")
    for report in reports:
        check_written(report.files)


def _check_balance(
    table: str, splits: Sequence[SplitReport], shards: Sequence[ShardReport]
) -> None:
    for split in splits:
        clean = split.rows_in - split.filtered - sum(split.rejected.values())
        received = [shard.received.get(split.split, 0) for shard in shards]
        if sum(split.sent) != clean or split.sent != received:
            raise RuntimeError(
                f"{table}: of {clean} rows split {split.split} sent {split.sent} and "
                f"the shards received {received}: the runner lost or repeated rows; "
                "report this with the runner's name"
            )
    for shard in shards:
        fates = shard.rows_out + shard.duplicates + shard.returned
        if sum(shard.received.values()) != fates:
            raise RuntimeError(
                f"{table}: shard {shard.shard} does not balance: {shard}"
            )


def check_rejects(report: TableReport, max_rejected: float) -> None:
    """Checks that a table has rows and that few enough were rejected.

    Raises:
        DataError: names the most frequent reasons and where each occurs first.
    """
    counts = report.counts
    rows, rejected = counts["rows_in"], counts["rejected"]
    if not rows:
        raise DataError(
            f"data.{report.table}.source: the table has no rows; name a table with rows"
        )
    if rejected <= max_rejected * rows:
        return
    where: dict[str, str] = {}
    for split in reversed(report.splits):
        where.update(split.first_rejected)
    reasons = list(counts["rejected_by_reason"].items())[:_TOP_REASONS]
    listed = "; ".join(f"{n:,} x {why} (first: {where[why]})" for why, n in reasons)
    raise DataError(
        f"data.{report.table}: {rejected:,} of {rows:,} rows rejected, more than "
        f"data.max_rejected = {max_rejected}: {listed}; mend the rows, leave them out "
        f"with data.{report.table}.where, or raise data.max_rejected"
    )


def merged_events(shards: Sequence[ShardReport]) -> EventCounts:
    """Adds up the event counts of all shards that hold events.

    Raises:
        DataError: none does.
    """
    parts = [shard.events for shard in shards if shard.events is not None]
    if not parts:
        raise DataError(
            "data.events: no event is left; loosen data.events.where or mend the rows"
        )
    spans: Counter[str] = Counter()
    by_type: Counter[str] = Counter()
    for part in parts:
        spans.update(part.spans)
        by_type.update(part.by_type)
    return EventCounts(
        first=min(part.first for part in parts),
        last=max(part.last for part in parts),
        spans=dict(spans),
        by_type=dict(by_type),
        users=sum(part.users for part in parts),
        profiled=sum(part.profiled for part in parts),
    )
