"""The co-purchases stage: `Create(shards) | ParDo | GroupByKey(item range) | ParDo`.

Baskets travel, not pairs: a basket of n items goes to at most n ranges of items, while
its pairs are n * (n - 1). A range so sees all that it needs to count its items' pairs
to the end, and drops the rare ones where they arise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from beam.basket_files import (
    ItemBaskets,
    baskets_path,
    load_item_baskets,
    merge_item_baskets,
)
from beam.catalogue import load_catalogue
from beam.pairs import Contents, Pairs, meetings, pair_counts, ranked
from beam.range_reports import (
    RangeReport,
    SentReport,
    audit_co_purchases,
    range_path,
    sent_path,
)
from beam.reports import TableReport
from beam.runners import linear_pipeline
from beam.shuffle import pack, unpack
from beam.sinks import atomic_file, read_table
from beam.statistics import Summary
from beam.written import check_shared, recorded
from tfrs_app.contract.data_config import CoPurchasesConfig
from tfrs_app.contract.dataset import OTHER_ITEM_ID, shard_name
from tfrs_app.contract.features import ITEM_ID


@dataclass(frozen=True)
class CoPurchases:
    """Finds what is bought together, one range of items at a time.

    `folder`: of this stage's work files. `events`: the events' work folder.
    `catalogue`: folder of the catalogue.
    """

    config: CoPurchasesConfig
    folder: Path
    events: Path
    catalogue: Path
    output: Path
    shards: int

    def send(self, shard: int) -> Iterator[tuple[int, bytes]]:
        """Yields to each range the baskets of one event shard that hold its items."""
        table = read_table(baskets_path(self.events, shard))
        known = load_item_baskets(self.folder)
        basket, item = (table.column(n).to_numpy() for n in ("basket", "item"))
        basket, item = frequent(basket, item, known, self.config.min_baskets)
        ranges = [item_range(len(known.of), self.shards, i) for i in range(self.shards)]
        partners = meetings(contents_of([(basket, item)]))
        sent, pairs = [], []
        for index, items in enumerate(ranges):
            inside = (item >= items.start) & (item < items.stop)
            rows = holding(basket, inside)
            part = pa.table({"basket": basket[rows], "item": item[rows]})
            yield index, pack(part, shard)
            sent.append(len(part))
            pairs.append(int(partners[inside].sum()))
        report = SentReport(shard=shard, rows=len(table), sent=sent, pairs=pairs)
        report.save(sent_path(self.folder, shard))

    def write(self, index: int, messages: Iterable[bytes]) -> None:
        """Writes the best partners of one range of items, and a report."""
        known = load_item_baskets(self.folder)
        received: dict[int, int] = {}
        parts = []
        for shard, part in unpack(messages):
            received[shard] = received.get(shard, 0) + len(part)
            parts.append(tuple(part.column(n).to_numpy() for n in ("basket", "item")))
        contents = contents_of(parts)
        items = item_range(len(known.of), self.shards, index)
        counted, kept = 0, [_as_table(_no_pairs(), np.zeros(0))]
        least = self.config.min_baskets
        for block, met in pair_counts(contents, items, len(known.of), least):
            counted += met
            best = ranked(block, known.of, known.count, self.config)
            kept.append(_as_table(*best))
        rows = pa.concat_tables(kept)
        RangeReport(
            index=index,
            received=received,
            pairs=counted,
            rows_out=len(rows),
            files=recorded(self._saved(index, rows)),
        ).save(range_path(self.folder, index))

    def _saved(self, index: int, rows: pa.Table) -> Path:
        ids = load_catalogue(self.catalogue).ids.cast(pa.string())
        names = {"item": ITEM_ID, "other": OTHER_ITEM_ID}
        for place, (position, name) in enumerate(names.items()):
            column = ids.take(rows.column(position).combine_chunks())
            rows = rows.set_column(place, name, column)
        path = self.output / shard_name(index, self.shards, "parquet")
        with atomic_file(path) as file:
            pq.write_table(rows.combine_chunks(), file)
        return path


class SendBaskets(beam.DoFn):
    """Sends an event shard's baskets to ranges of items."""

    def __init__(self, stage: CoPurchases) -> None:
        self.stage = stage

    def process(self, shard: int) -> Iterator[tuple[int, bytes]]:
        """Yields (range, Arrow bytes); every range gets one message."""
        check_shared(self.stage.folder)
        yield from self.stage.send(shard)


class WriteCoPurchases(beam.DoFn):
    """Writes a range of items' co-purchases and its report."""

    def __init__(self, stage: CoPurchases) -> None:
        self.stage = stage

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterator[int]:
        """Yields the range's number."""
        check_shared(self.stage.folder)
        index, messages = element
        self.stage.write(index, messages)
        yield index


def find_co_purchases(
    stage: CoPurchases, events: TableReport, options: PipelineOptions
) -> Summary:
    """Runs and audits the stage; returns `baskets`, `too_large` and `pairs`.

    Raises:
        RuntimeError: the runner skipped, lost or repeated work.
    """
    counts = [shard.baskets for shard in events.shards]
    items = len(load_catalogue(stage.catalogue).ids)
    known = merge_item_baskets(stage.events, counts, items)
    known.save(stage.folder)
    run_co_purchases(stage, options)
    return {
        "baskets": known.count,
        "too_large": sum(shard.too_large for shard in counts),
        "pairs": audit_co_purchases(stage.folder, counts),
    }


def run_co_purchases(stage: CoPurchases, options: PipelineOptions) -> None:
    """Writes the co-purchases of all ranges of items."""
    with linear_pipeline(options) as pipeline:
        (
            pipeline
            | "Shards" >> beam.Create(range(stage.shards))
            | "Send"
            >> beam.ParDo(SendBaskets(stage)).with_output_types(tuple[int, bytes])
            | "Range" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(WriteCoPurchases(stage)).with_output_types(int)
        )


def item_range(items: int, ranges: int, index: int) -> range:
    """Returns one of the contiguous ranges of catalogue positions."""
    return range(items * index // ranges, items * (index + 1) // ranges)


def frequent(
    basket: Any, item: Any, known: ItemBaskets, min_baskets: int
) -> tuple[Any, Any]:
    """Returns the rows that can be part of a kept pair: exact, and saves most work."""
    rows = known.of[item] >= min_baskets
    basket, item = basket[rows], item[rows]
    rows = np.bincount(basket)[basket] > 1
    return basket[rows], item[rows]


def holding(basket: Any, inside: Any) -> Any:
    """Returns which rows belong to a basket of which some row is inside."""
    held = np.zeros(int(basket.max(initial=-1)) + 1, dtype=bool)
    held[basket[inside]] = True
    return held[basket]


def contents_of(parts: Iterable[tuple[Any, ...]]) -> Contents:
    """Returns baskets of several shards; a part has baskets and items, [rows] each."""
    new, items = [np.zeros(0, dtype=bool)], [np.zeros(0, dtype=np.int32)]
    for basket, item in parts:
        new.append(np.diff(basket, prepend=-1) != 0)
        items.append(item)
    item = np.concatenate(items)
    starts = np.flatnonzero(np.concatenate([*new, [True]]))
    return Contents(item, starts)


def _no_pairs() -> Pairs:
    none = np.zeros(0, dtype=np.int64)
    return Pairs(none, none, none)


def _as_table(pairs: Pairs, lift: Any) -> pa.Table:
    return pa.table(
        {
            "item": pairs.item,
            "other": pairs.other,
            "baskets": pairs.baskets,
            "lift": lift,
        }
    )
