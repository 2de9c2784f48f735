"""What the co-purchases stage reports, and the audit that no basket got lost in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from beam.reports import BasketCounts, Report
from beam.written import check_written
from tfrs_app.contract.artifacts import FileRecord


class SentReport(Report):
    """Tells what an event shard sent to the ranges of items."""

    shard: int
    rows: int
    """Rows of the shard's baskets file."""
    sent: list[int]
    """Rows sent to each range."""
    pairs: list[int]
    """Meetings of an item of each range with any other item in a basket."""


class RangeReport(Report):
    """Tells what a range of items received, counted and wrote."""

    index: int
    received: dict[int, int]
    """Rows from each event shard."""
    pairs: int
    """Meetings that were counted."""
    rows_out: int
    files: dict[Path, FileRecord]


def sent_path(folder: Path, shard: int) -> Path:
    """Returns where an event shard's report lies."""
    return folder / f"sent-{shard:05d}.json"


def range_path(folder: Path, index: int) -> Path:
    """Returns where a range's report lies."""
    return folder / f"range-{index:05d}.json"


def audit_co_purchases(folder: Path, baskets: Sequence[BasketCounts]) -> int:
    """Checks that everything sent was received, counted and written.

    Args:
        folder: of the stage's work files.
        baskets: what the events stage wrote, one a shard.

    Returns:
        The number of pairs in the files.

    Raises:
        RuntimeError: the runner skipped, lost or repeated work.
    """
    shards = range(len(baskets))
    senders = [SentReport.load(sent_path(folder, shard)) for shard in shards]
    ranges = [RangeReport.load(range_path(folder, index)) for index in shards]
    for sender, counts in zip(senders, baskets, strict=True):
        received = [part.received.get(sender.shard, 0) for part in ranges]
        if sender.rows != counts.rows or sender.sent != received:
            raise RuntimeError(
                f"co_purchases: of {counts.rows} rows in baskets shard {sender.shard} "
                f"read {sender.rows} and sent {sender.sent}, the ranges received "
                f"{received}: the runner lost or repeated rows; report this with the "
                "runner's name"
            )
    for part in ranges:
        _check_range(part, senders)
    return sum(part.rows_out for part in ranges)


def _check_range(part: RangeReport, senders: list[SentReport]) -> None:
    expected = sum(sender.pairs[part.index] for sender in senders)
    if part.pairs != expected:
        raise RuntimeError(
            f"co_purchases: range {part.index} counted {part.pairs} meetings of two "
            f"items, the shards sent {expected}"
        )
    check_written(part.files)
