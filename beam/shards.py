"""What the rows of one shard become, once a GroupByKey brought them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.cleaning import ROW
from beam.records import row_records
from beam.reports import ShardReport
from beam.shuffle import unpack
from beam.sinks import write_records, write_table
from beam.statistics import features_of, summarise
from beam.tables import TablePlan
from beam.written import recorded
from tfrs_app.contract.dataset import shard_name
from tfrs_app.contract.features import FeatureSpec

SPLIT = "__split__"


class ShardWriter(Protocol):
    """Writes the rows of one shard and reports them."""

    @property
    def folder(self) -> Path:
        """Returns the stage's work folder."""
        ...

    def write(self, shard: int, messages: Iterable[bytes]) -> ShardReport:
        """Writes a shard's files; a second call writes the same bytes."""
        ...


def kept_path(folder: Path, shard: int) -> Path:
    """Returns the clean rows of one shard of items or users, ascending by id."""
    return folder / f"kept-{shard:05d}.arrow"


@dataclass(frozen=True)
class RowShard:
    """Keeps the first row of each id, of items or users."""

    folder: Path
    plan: TablePlan
    spec: FeatureSpec
    shards: int
    output: Path | None = None
    """Folder of record files; absent where a later stage writes them."""

    def write(self, shard: int, messages: Iterable[bytes]) -> ShardReport:
        """Writes the unique rows of a shard, ascending by id."""
        table, received = gathered(messages)
        kept = _first_of_each(table, self.plan.key)
        paths = [kept_path(self.folder, shard)]
        write_table(paths[0], kept)
        if self.output is not None:
            paths.append(self.output / shard_name(shard, self.shards))
            write_records(paths[1], row_records(kept, self.plan.columns))
        return ShardReport(
            shard=shard,
            received=received,
            rows_out=len(kept),
            duplicates=len(table) - len(kept),
            records=len(kept),
            files=recorded(*paths),
            partial=summarise(kept, features_of(self.plan, self.spec)),
        )


def gathered(messages: Iterable[bytes]) -> tuple[pa.Table, dict[int, int]]:
    """Returns a shard's rows with their split, and how many came from each split."""
    tables = []
    received: dict[int, int] = {}
    for split, table in unpack(messages):
        received[split] = received.get(split, 0) + len(table)
        splits = pa.array(np.full(len(table), split, dtype=np.int32))
        tables.append(table.append_column(SPLIT, splits))
    return pa.concat_tables(tables), received


def _first_of_each(table: pa.Table, key: str) -> pa.Table:
    order = [(name, "ascending") for name in (key, SPLIT, ROW)]
    table = table.sort_by(order)
    ids = table.column(key).combine_chunks()
    fresh = np.ones(len(ids), dtype=bool)
    if len(ids) > 1:
        fresh[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return table.filter(pa.array(fresh)).drop_columns([SPLIT, ROW])
