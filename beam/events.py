"""What a shard's events become: sequence records, and counts of items and spans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beam.catalogue import load_catalogue
from beam.ordering import distinct_sorted
from beam.records import Profiles, row_entries, sequence_records
from beam.reports import EventCounts, ShardReport
from beam.returns import without_returns
from beam.sequences import Histories, histories
from beam.shards import SPLIT, gathered, kept_path
from beam.sinks import read_table, write_records, write_table
from beam.statistics import features_of, summarise
from beam.tables import TablePlan
from tfrs_app.contract.data_config import SplitConfig
from tfrs_app.contract.dataset import EVENT_TYPE, QUANTITY, TIMESTAMP, shard_name
from tfrs_app.contract.features import ITEM_ID, USER_ID, FeatureSpec

SPANS = ("train", "validation", "test", "after_test")


def item_events_path(folder: Path, shard: int) -> Path:
    """Returns the training events of each item in one shard."""
    return folder / f"items-{shard:05d}.arrow"


@dataclass(frozen=True)
class EventShard:
    """Makes one history a user of a shard's events.

    `catalogue` is the folder of the catalogue, `users` the work folder of the users
    table, whose shards hold the same users; None where a shop has no such table.
    """

    folder: Path
    plan: TablePlan
    spec: FeatureSpec
    split: SplitConfig
    output: Path
    shards: int
    cancel_returns: bool
    catalogue: Path
    users: Path | None
    user_plan: TablePlan | None

    def write(self, shard: int, messages: Iterable[bytes]) -> ShardReport:
        """Writes a shard's sequence records and its items' training events."""
        table, received = gathered(messages)
        unique = histories(table.drop_columns([SPLIT]))
        events = self._standing(unique)
        profiles = self._profiles(shard)
        ids = load_catalogue(self.catalogue).ids
        records = write_records(
            self.output / shard_name(shard, self.shards),
            sequence_records(events, self.plan, ids, profiles),
        )
        profiled = profiles.ids.to_pylist()
        train = _times(events) < span_starts(self.split)[0]
        counted = item_events(events, train, self.plan)
        write_table(item_events_path(self.folder, shard), counted)
        features = features_of(self.plan, self.spec)
        described = events.table.select([column.name for _, column in features])
        return ShardReport(
            shard=shard,
            received=received,
            rows_out=len(events.table),
            duplicates=unique.duplicates,
            returned=len(unique.table) - len(events.table),
            records=records,
            partial=summarise(described.filter(pa.array(train)), features),
            events=event_counts(events, self.plan, self.split, profiled),
        )

    def _standing(self, events: Histories) -> Histories:
        if not self.cancel_returns or not self.plan.has(QUANTITY):
            return events
        spans = spans_of(_times(events), self.split)
        table, stands = without_returns(events.table, events.user, spans)
        return replace(events, table=table, user=events.user[stands])

    def _profiles(self, shard: int) -> Profiles:
        if self.users is None or self.user_plan is None:
            return Profiles()
        table = read_table(kept_path(self.users, shard))
        ids = table.column(USER_ID).combine_chunks()
        return Profiles(ids, row_entries(table, self.user_plan.columns))


def span_starts(split: SplitConfig) -> tuple[float, float, float]:
    """Returns where validation, test and what comes after it start, in seconds."""
    end = split.test_end.timestamp() if split.test_end else float("inf")
    return split.validation_start.timestamp(), split.test_start.timestamp(), end


def spans_of(times: Any, split: SplitConfig) -> Any:
    """Returns int64 [events]: the index in SPANS of each moment in seconds."""
    return np.searchsorted(span_starts(split), times, side="right")


def event_counts(
    events: Histories, plan: TablePlan, split: SplitConfig, profiled: Iterable[str]
) -> EventCounts | None:
    """Counts a shard's events by span and type; None if there is none."""
    times = _times(events)
    if not len(times):
        return None
    spans = spans_of(times, split)
    in_span = np.bincount(spans, minlength=len(SPANS)).tolist()
    types = np.bincount(_types(events), minlength=len(plan.event_types)).tolist()
    present = np.flatnonzero(np.bincount(events.user)).tolist()
    users = {events.users[code] for code in present}
    return EventCounts(
        first=int(times.min()),
        last=int(times.max()),
        spans=dict(zip(SPANS, in_span, strict=True)),
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
    kind = _types(events)[train]
    counts = np.bincount(place * types + kind, minlength=len(items) * types)
    by_type = counts.reshape(len(items), types)
    width = max(len(items), 1)
    pairs = distinct_sorted(events.user[train] * width + place)
    users = np.bincount(pairs % width, minlength=len(items))
    return pa.table(
        {"item": pa.array(items, pa.int64()), "users": pa.array(users, pa.int64())}
        | {f"events_{index}": pa.array(by_type[:, index]) for index in range(types)}
    )


def _times(events: Histories) -> Any:
    return events.table.column(TIMESTAMP).to_numpy()


def _types(events: Histories) -> Any:
    """Returns int64 [events]: the index of each event's type."""
    return events.table.column(EVENT_TYPE).to_numpy().astype(np.int64)
