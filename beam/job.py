"""The stages of one dataset, run one after the other and audited in between."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from beam.base import key_fingerprint, user_key_of
from beam.basket_files import repurchases_path
from beam.baskets import BasketRule, basket_rule
from beam.catalogue import Catalogue, merge_catalogue
from beam.co_purchases import CoPurchases, find_co_purchases
from beam.events import EventShard
from beam.inputs import RECORD_FOLDERS, Input
from beam.item_ranges import ItemRanges
from beam.quality import write_quality
from beam.recipe import write_recipe
from beam.reports import (
    NO_ROWS,
    Counts,
    TableReport,
    audited,
    audited_ranges,
    check_rejects,
    merged_events,
    split_path,
)
from beam.repurchases import merged_repurchases
from beam.shards import RowShard, ShardWriter, kept_path
from beam.sinks import atomic_file, read_table
from beam.stages import (
    CleanSplit,
    filtered_path,
    rejects_path,
    run_table,
)
from beam.statistics import Summary
from beam.summary import (
    check_split,
    count_items,
    moment_of,
    numeric_summaries,
    write_item_statistics,
    write_stats,
    write_vocabularies,
)
from beam.written import SHARDS, publish
from tfrs_app.contract.artifacts import SPEC, write_atomically
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.dataset import (
    CO_PURCHASES,
    ITEMS,
    REJECTS,
    SPANS,
    USERS,
    rows_path,
    shard_name,
)
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID
from tfrs_app.progress import watched

_WORK = ".work"


@dataclass(frozen=True)
class Job:
    """Runs the stages of one dataset inside its staging folder."""

    config: ShopConfig
    inputs: dict[str, Input]
    output: Path
    options: PipelineOptions
    console: Console
    base: Path | None = None
    """Dataset whose vocabularies are continued, so that ids stay."""

    @property
    def work(self) -> Path:
        """Returns the folder of what only this job reads."""
        return self.output / _WORK

    @property
    def basket_rule(self) -> BasketRule:
        """Returns how purchases make baskets."""
        return basket_rule(self.config.data.co_purchases, self.inputs["events"].plan)

    def run(self) -> Counts:
        """Runs all stages and returns the row balance of each table."""
        events = self._events()
        reports = {"items": self._stage("items", self._rows("items"))}
        catalogue = self._write_catalogue()
        if "users" in self.inputs:
            users = self._rows("users", self._shards(USERS))
            reports["users"] = self._stage("users", users)
        reports["events"] = self._stage("events", events)
        audited_ranges(
            self.work / "events", len(catalogue.ids), self.config.data.shards
        )
        self._summarise(reports, catalogue)
        self._publish_shards()
        self._collect_rejects()
        shutil.rmtree(self.work)
        write_recipe(self.output, self.config)
        spec = self.config.spec.model_dump_json(indent=2)
        write_atomically(self.output / SPEC, spec.encode())
        return {
            table: reports[table].counts if table in reports else NO_ROWS
            for table in ("events", "items", "users")
        }

    def _stage(self, table: str, writer: ShardWriter) -> TableReport:
        started = time.monotonic()
        part, shards = self.inputs[table], self.config.data.shards
        folder = self._new_folder(table)
        known = self.work if table == "events" else None
        cleaner = CleanSplit(part.sources, folder, shards, known)
        ranges = self._item_ranges() if table == "events" else None
        paths = [split_path(folder, split.index) for split in part.splits]

        def done() -> int:
            return sum(path.exists() for path in paths)

        with watched(table, "parts", len(paths), done):
            run_table(part.splits, cleaner, writer, self.options, ranges)
        report = audited(folder, table, len(part.splits), shards)
        report = report.model_copy(update={"skipped": part.skipped})
        check_rejects(report, self.config.data.max_rejected)
        self._tell(report, time.monotonic() - started)
        return report

    def _tell(self, report: TableReport, seconds: float) -> None:
        counts = report.counts
        told = ", ".join(
            f"{counts[name]:,} {name}"
            for name in ("filtered", "rejected", "duplicates", "returned")
            if counts[name] or name != "returned"
        )
        records = sum(shard.records for shard in report.shards)
        self.console.print(
            f"{report.table:<7} {counts['rows_in']:,} rows -> {counts['rows_out']:,} "
            f"({told}), {records:,} records, {seconds:.1f} s"
        )

    def _rows(self, table: str, output: Path | None = None) -> RowShard:
        plan, shards = self.inputs[table].plan, self.config.data.shards
        return RowShard(self.work / table, plan, self.config.spec, shards, output)

    def _events(self) -> EventShard:
        users = self.inputs.get("users")
        return EventShard(
            folder=self.work / "events",
            plan=self.inputs["events"].plan,
            spec=self.config.spec,
            split=self.config.data.split,
            output=self._shards(),
            shards=self.config.data.shards,
            cancel_returns=self.config.data.returns == "cancel",
            catalogue=self.work,
            users=self.work / "users" if users else None,
            user_plan=users.plan if users else None,
            baskets=self.basket_rule,
            row_history_length=self.config.data.rows_shown,
        )

    def _co_purchases(self, events: TableReport) -> Summary:
        started = time.monotonic()
        stage = CoPurchases(
            config=self.config.data.co_purchases,
            folder=self._new_folder(CO_PURCHASES),
            events=self.work / "events",
            catalogue=self.work,
            output=self._shards(CO_PURCHASES),
            shards=self.config.data.shards,
        )
        with watched("baskets"):
            found = find_co_purchases(stage, events, self.options)
        self.console.print(
            f"baskets {found['baskets']:,} -> {found['pairs']:,} pairs of items, "
            f"{time.monotonic() - started:.1f} s"
        )
        return {"within": self.basket_rule.within, **found}

    def _write_catalogue(self) -> Catalogue:
        folder, part = self.work / "items", self.inputs["items"]
        shards = self.config.data.shards
        kept = [kept_path(folder, shard) for shard in range(shards)]
        left_out = [filtered_path(folder, split.index) for split in part.splits]
        catalogue = merge_catalogue(_item_ids(kept), _item_ids(left_out))
        if not len(catalogue.ids):
            raise DataError("data.items.where: leaves no item; loosen the condition")
        catalogue.save(self.work)
        return catalogue

    def _item_ranges(self) -> ItemRanges:
        return ItemRanges(
            plan=self.inputs["items"].plan,
            kept=self.work / "items",
            catalogue=self.work,
            output=self._shards(ITEMS),
            shards=self.config.data.shards,
        )

    def _summarise(self, reports: dict[str, TableReport], catalogue: Catalogue) -> None:
        config, data = self.config, self.config.data
        events = merged_events(reports["events"].shards)
        check_split(data.split, events)
        bought = self._co_purchases(reports["events"])
        types = self.inputs["events"].plan.event_types
        weights = [config.event_weights[name] for name in types]
        items = count_items(self.work / "events", data.shards, catalogue, weights)
        paths = [repurchases_path(self.work / "events", i) for i in range(data.shards)]
        again = merged_repurchases([read_table(p) for p in paths], len(catalogue.ids))
        write_item_statistics(self.output, catalogue, items, again)
        sizes = write_vocabularies(
            self.output, config, reports, catalogue, items, self.base
        )
        numeric = numeric_summaries(config, reports)
        key = user_key_of(self.base) if self.base else key_fingerprint(config)
        write_stats(self.output, data, events, items, numeric, sizes, bought, key)
        moments = (moment_of(events.first), moment_of(events.last))
        write_quality(self.output, self.work, config, self.inputs, catalogue, moments)

    def _new_folder(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir(parents=True)
        return folder

    def _shards(self, folder: str = "") -> Path:
        return self.work / SHARDS / folder

    def _publish_shards(self) -> None:
        shards = range(self.config.data.shards)
        folders = [RECORD_FOLDERS[table] for table in self.inputs]
        if self.config.data.rows_shown is not None:
            folders += [rows_path(Path(), span).as_posix() for span in SPANS]
        endings = dict.fromkeys(folders, "tfrecord")
        for folder, ending in (endings | {CO_PURCHASES: "parquet"}).items():
            names = [shard_name(shard, len(shards), ending) for shard in shards]
            publish(self._shards(folder), self.output / folder, names)

    def _collect_rejects(self) -> None:
        for table, part in self.inputs.items():
            with atomic_file(self.output / REJECTS / f"{table}.jsonl") as merged:
                for split in part.splits:
                    path = rejects_path(self.work / table, split.index)
                    with path.open("rb") as rejects:
                        shutil.copyfileobj(rejects, merged)


def _item_ids(paths: Sequence[Path]) -> list[Any]:
    return [read_table(path).column(ITEM_ID).combine_chunks() for path in paths]
