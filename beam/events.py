"""Writes what a shard's events become: sequence records, rows, and counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from beam.basket_files import purchase_paths, write_purchases
from beam.baskets import BasketRule, purchases_of
from beam.catalogue import load_catalogue
from beam.event_counts import (
    event_counts,
    item_events,
    item_events_path,
    purchase_type,
    spans_of,
    types_of,
)
from beam.records import Profiles, row_entries, sequence_records
from beam.reports import ShardReport
from beam.returns import without_returns
from beam.rows import TrainingRows
from beam.sequences import Histories, histories
from beam.shards import SPLIT, gathered, kept_path
from beam.sinks import read_table, write_records, write_table
from beam.statistics import features_of, summarise
from beam.tables import TablePlan
from beam.tallies import write_tallies
from beam.written import recorded
from tfrs_app.contract.data_config import SplitConfig
from tfrs_app.contract.dataset import (
    QUANTITY,
    SEQUENCES,
    SPANS,
    rows_path,
    shard_name,
)
from tfrs_app.contract.features import USER_ID, FeatureSpec


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
    baskets: BasketRule
    row_history_length: int | None = None
    """Events that a training row shows; None where no rows are asked for."""

    def write(self, shard: int, messages: Iterable[bytes]) -> ShardReport:
        """Writes a shard's records and what later stages count."""
        table, received = gathered(messages)
        unique = histories(table.drop_columns([SPLIT]))
        events = self._standing(unique)
        profiles = self._profiles(shard)
        spans = spans_of(events, self.split)
        train = spans == 0
        written, records = self._write_records(shard, events, profiles, spans)
        counts = item_events(events, train, self.plan)
        write_table(item_events_path(self.folder, shard), counts)
        tallies = write_tallies(self.folder, shard, events, self.plan, self.spec, spans)
        bought = train & (types_of(events) == purchase_type(self.spec, self.plan))
        purchases = purchases_of(events, bought)
        baskets = write_purchases(self.folder, shard, purchases, self.baskets)
        files = [*written, item_events_path(self.folder, shard), *tallies]
        features = features_of(self.plan, self.spec)
        described = events.table.select([column.name for _, column in features])
        return ShardReport(
            shard=shard,
            received=received,
            rows_out=len(events.table),
            duplicates=unique.duplicates,
            returned=len(unique.table) - len(events.table),
            records=records,
            files=recorded(*files, *purchase_paths(self.folder, shard)),
            partial=summarise(described.filter(pa.array(train)), features),
            events=event_counts(events, self.plan, spans, profiles.ids.to_pylist()),
            baskets=baskets,
        )

    def _write_records(
        self, shard: int, events: Histories, profiles: Profiles, spans: Any
    ) -> tuple[list[Path], int]:
        """Returns the record files and the number of sequence records."""
        name = shard_name(shard, self.shards)
        ids = load_catalogue(self.catalogue).ids
        path = self.output / SEQUENCES / name
        records = sequence_records(events, self.plan, ids, profiles)
        count = write_records(path, records)
        if self.row_history_length is None:
            return [path], count
        rows = TrainingRows(
            events,
            self.plan,
            ids,
            self.spec.event_weights,
            profiles,
            self.row_history_length,
        )
        paths = [rows_path(self.output, span) / name for span in SPANS]
        for index, row_path in enumerate(paths):
            wanted = spans == index
            if write_records(row_path, rows.of(wanted)) != wanted.sum():
                raise RuntimeError(f"{row_path}: not every event became a row")
        return [path, *paths], count

    def _standing(self, events: Histories) -> Histories:
        if not self.cancel_returns or not self.plan.has(QUANTITY):
            return events
        spans = spans_of(events, self.split)
        table, stands = without_returns(events.table, events.user, spans)
        return replace(events, table=table, user=events.user[stands])

    def _profiles(self, shard: int) -> Profiles:
        if self.users is None or self.user_plan is None:
            return Profiles()
        table = read_table(kept_path(self.users, shard))
        ids = table.column(USER_ID).combine_chunks()
        return Profiles(ids, row_entries(table, self.user_plan.columns))
