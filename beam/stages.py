"""The Beam pipelines: `Create | ParDo | GroupByKey | ParDo`, linear on every runner.

Shuffle values are Arrow bytes. Reports travel as files: a runner that skips work in
silence is caught by the audit, and a user's mistake comes home as what it is, whatever
a runner does to exceptions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from beam.batches import Reject
from beam.catalogue import Catalogue, load_catalogue
from beam.cleaning import Cleaned, clean
from beam.failures import failure_of
from beam.item_ranges import ItemRanges
from beam.reading import read
from beam.reports import (
    SplitReport,
    range_path,
    shard_path,
    split_path,
)
from beam.runners import linear_pipeline
from beam.shards import ShardWriter
from beam.shuffle import pack, partition
from beam.sinks import write_rejects, write_table
from beam.sources import Split
from beam.tables import SourcePlan, TablePlan
from beam.written import check_shared, recorded
from tfrs_app.contract.errors import UserError
from tfrs_app.contract.features import ITEM_ID


def run_table(
    splits: Sequence[Split],
    clean_split: CleanSplit,
    writer: ShardWriter,
    options: PipelineOptions,
    ranges: ItemRanges | None = None,
) -> None:
    """Cleans all splits of a table and writes its shards.

    With shard n goes range n of the item files, if there are any to write: a pipeline
    of their own would cost more than the work.
    """
    with linear_pipeline(options) as pipeline:
        (
            pipeline
            | "Splits" >> beam.Create(splits)
            | "Clean" >> beam.ParDo(clean_split).with_output_types(tuple[int, bytes])
            | "Shard" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(WriteShard(writer, ranges)).with_output_types(int)
        )


class CleanSplit(beam.DoFn):
    """Reads and cleans a split and sends its rows to their shards."""

    def __init__(
        self,
        plans: Sequence[SourcePlan],
        folder: Path,
        shards: int,
        catalogue: Path | None = None,
    ) -> None:
        self.plans = plans
        self.folder = folder
        self.shards = shards
        self.catalogue = catalogue

    def process(self, split: Split) -> Iterator[tuple[int, bytes]]:
        """Yields (shard, Arrow bytes); every shard gets at least one message."""
        check_shared(self.folder)
        known = load_catalogue(self.catalogue) if self.catalogue else None
        tally = Tally(self.shards)
        try:
            for cleaned in self._cleaned(split, known):
                tables = partition(cleaned.table, self.table.key, self.shards)
                tally.add(cleaned, [len(table) for table in tables])
                for shard, table in enumerate(tables):
                    yield shard, pack(table, split.index)
        except UserError as error:
            failed = SplitReport(split=split.index, failure=failure_of(error))
            failed.save(split_path(self.folder, split.index))
            return
        tally.save(self.folder, self.table.table, split.index)

    @property
    def table(self) -> TablePlan:
        """Returns what the clean table looks like."""
        return self.plans[0].table

    def _cleaned(self, split: Split, known: Catalogue | None) -> Iterator[Cleaned]:
        plan = self.plans[split.source]
        for batch in read(split, plan.file_columns):
            yield clean(batch, plan, split.file, known)


class Tally:
    """Adds up what became of a split's rows."""

    def __init__(self, shards: int) -> None:
        self._rows_in = 0
        self._filtered = 0
        self._sent = [0] * shards
        self._rejects: list[Reject] = []
        self._filtered_keys: list[Any] = [pa.array([], pa.large_string())]

    def add(self, cleaned: Cleaned, sent: Sequence[int]) -> None:
        """Adds a batch and how many of its rows went to each shard."""
        self._rows_in += len(cleaned.table) + cleaned.filtered + len(cleaned.rejects)
        self._filtered += cleaned.filtered
        self._sent = [a + b for a, b in zip(self._sent, sent, strict=True)]
        self._rejects.extend(cleaned.rejects)
        self._filtered_keys.append(cleaned.filtered_keys.unique())

    def save(self, folder: Path, table: str, split: int) -> None:
        """Writes the rejects, the filtered ids and, last, the report."""
        paths = rejects_path(folder, split), filtered_path(folder, split)
        write_rejects(paths[0], table, self._rejects)
        ids = pa.concat_arrays(self._filtered_keys).unique()
        write_table(paths[1], pa.table({ITEM_ID: ids}))
        first: dict[str, str] = {}
        for reject in sorted(self._rejects, key=lambda reject: reject.row):
            first.setdefault(reject.reason, f"{reject.file} row {reject.row}")
        SplitReport(
            split=split,
            rows_in=self._rows_in,
            filtered=self._filtered,
            rejected=dict(Counter(reject.reason for reject in self._rejects)),
            first_rejected=first,
            sent=self._sent,
            files=recorded(*paths),
        ).save(split_path(folder, split))


class WriteShard(beam.DoFn):
    """Writes a shard, the range of items of the same number, and the shard's report."""

    def __init__(self, writer: ShardWriter, ranges: ItemRanges | None) -> None:
        self.writer = writer
        self.ranges = ranges

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterator[int]:
        """Yields the shard's number."""
        check_shared(self.writer.folder)
        shard, messages = element
        report = self.writer.write(shard, messages)
        if self.ranges is not None:
            self.ranges.write(shard).save(range_path(self.writer.folder, shard))
        report.save(shard_path(self.writer.folder, shard))
        yield shard


def rejects_path(folder: Path, split: int) -> Path:
    """Returns the rejected rows of one split."""
    return folder / f"rejects-{split:05d}.jsonl"


def filtered_path(folder: Path, split: int) -> Path:
    """Returns the ids that one split's `where` left out."""
    return folder / f"filtered-{split:05d}.arrow"
