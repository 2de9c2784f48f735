"""Counts of a shard's events by span, type and item."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beam.ordering import distinct_sorted
from beam.reports import EventCounts
from beam.sequences import Histories
from beam.tables import TablePlan
from tfrs_app.contract.data_config import SplitConfig
from tfrs_app.contract.dataset import EVENT_TYPE, EVERY_SPAN, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, FeatureSpec


def item_events_path(folder: Path, shard: int) -> Path:
    """Returns the training events of each item in one shard."""
    return folder / f"items-{shard:05d}.arrow"


def purchase_type(spec: FeatureSpec, plan: TablePlan) -> int:
    """Returns the plan's number of the weightiest type, of several the YAML's first.

    The plan numbers the types in another order than the spec.
    """
    weights = spec.event_weights
    return plan.event_types.index(max(weights, key=lambda name: weights[name]))


def span_starts(split: SplitConfig) -> tuple[float, float, float]:
    """Returns where validation, test and what comes after it start, in seconds."""
    end = split.test_end.timestamp() if split.test_end else float("inf")
    return split.validation_start.timestamp(), split.test_start.timestamp(), end


def spans_of(events: Histories, split: SplitConfig) -> Any:
    """Returns int64 [events]: the index in EVERY_SPAN of each event's span."""
    times = events.table.column(TIMESTAMP).to_numpy()
    return np.searchsorted(span_starts(split), times, side="right")


def types_of(events: Histories) -> Any:
    """Returns int64 [events]: the index of each event's type."""
    return events.table.column(EVENT_TYPE).to_numpy().astype(np.int64)


def event_counts(
    events: Histories, plan: TablePlan, spans: Any, profiled: Iterable[str]
) -> EventCounts | None:
    """Counts a shard's events by span and type; None if there is none."""
    if not len(events.table):
        return None
    times = events.table.column(TIMESTAMP).to_numpy()
    in_span = np.bincount(spans, minlength=len(EVERY_SPAN)).tolist()
    types = np.bincount(types_of(events), minlength=len(plan.event_types)).tolist()
    present = np.flatnonzero(np.bincount(events.user)).tolist()
    users = {events.users[code] for code in present}
    return EventCounts(
        first=int(times.min()),
        last=int(times.max()),
        spans=dict(zip(EVERY_SPAN, in_span, strict=True)),
        by_type=dict(zip(plan.event_types, types, strict=True)),
        users=len(users),
        profiled=len(users.intersection(profiled)),
    )


def item_events(events: Histories, train: Any, plan: TablePlan) -> pa.Table:
    """Counts the training events of each item: users, and events of each type.

    Returns:
        `item` int64 ascending, `users` int64, `events_<type index>` int64.
    """
    codes = events.table.column(ITEM_ID).to_numpy()[train]
    present = np.bincount(codes) > 0
    items, place = np.flatnonzero(present), (np.cumsum(present) - 1)[codes]
    types = len(plan.event_types)
    kind = types_of(events)[train]
    counts = np.bincount(place * types + kind, minlength=len(items) * types)
    by_type = counts.reshape(len(items), types)
    width = max(len(items), 1)
    pairs = distinct_sorted(events.user[train] * width + place)
    users = np.bincount(pairs % width, minlength=len(items))
    return pa.table(
        {"item": pa.array(items, pa.int64()), "users": pa.array(users, pa.int64())}
        | {f"events_{index}": pa.array(by_type[:, index]) for index in range(types)}
    )
