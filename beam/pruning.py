"""Leaves out row groups whose statistics say that all of their events are too old."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from beam.sources import Split, open_parquet
from beam.tables import SourcePlan
from tfrs_app.contract.dataset import TIMESTAMP

_ANY_ZONE_S = 86_400
"""More than any zone is away from UTC: a file's moments may be local ones."""


def recent(
    splits: Iterable[Split], plans: Sequence[SourcePlan]
) -> tuple[tuple[Split, ...], int]:
    """Returns the splits that may hold wanted events, and the rows of the others."""
    kept: list[Split] = []
    skipped = 0
    for split in splits:
        rows = _rows_if_old(split, plans[split.source])
        if rows is None:
            kept.append(replace(split, index=len(kept)))
        else:
            skipped += rows
    return tuple(kept), skipped


def _rows_if_old(split: Split, plan: SourcePlan) -> int | None:
    if plan.since_s is None or split.row_group is None:
        return None
    (name,) = plan.origins[TIMESTAMP]
    with open_parquet(split.file) as parquet:
        group = parquet.metadata.row_group(split.row_group)
        columns = map(group.column, range(group.num_columns))
        column = next(column for column in columns if column.path_in_schema == name)
        last = _last_second(column.statistics)
        if last is None or last + _ANY_ZONE_S >= plan.since_s:
            return None
        rows: int = group.num_rows
        return rows


def _last_second(statistics: Any) -> float | None:
    """Returns the last moment of a column of timestamps without nulls, else None."""
    if statistics is None or not statistics.has_min_max or statistics.null_count != 0:
        return None
    last = statistics.max
    if not isinstance(last, datetime):
        return None
    return last.replace(tzinfo=last.tzinfo or UTC).timestamp()
