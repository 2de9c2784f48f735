"""Writes the item files: contiguous ranges of the catalogue, in its order."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from beam.catalogue import load_catalogue
from beam.records import row_records
from beam.reports import ItemRangeReport
from beam.shards import kept_path
from beam.sinks import read_table, write_records
from beam.tables import TablePlan
from beam.written import recorded
from tfrs_app.contract.dataset import shard_name
from tfrs_app.contract.features import ITEM_ID


@dataclass(frozen=True)
class ItemRanges:
    """Cuts the catalogue into as many ranges as there are shards of unique rows.

    `kept` is the work folder of the items, `catalogue` the folder of the catalogue.
    """

    plan: TablePlan
    kept: Path
    catalogue: Path
    output: Path
    shards: int

    def write(self, index: int) -> ItemRangeReport:
        """Writes one range; a second call writes the same bytes.

        Raises:
            RuntimeError: the shards lack an item of the range.
        """
        ids = load_catalogue(self.catalogue).ids
        start, stop = (len(ids) * i // self.shards for i in (index, index + 1))
        paths = [kept_path(self.kept, shard) for shard in range(self.shards)]
        tables = [_rows_within(path, ids[start:stop]) for path in paths]
        table = pa.concat_tables(tables).sort_by(ITEM_ID)
        path = self.output / shard_name(index, self.shards)
        written = write_records(path, row_records(table, self.plan.columns))
        if written != stop - start:
            raise RuntimeError(f"{path}: {written} items of {stop - start} written")
        return ItemRangeReport(records=written, files=recorded(path))


def _rows_within(path: Path, ids: Any) -> pa.Table:
    """Returns the rows from the first to the last of some ids; both ascend by id."""
    table = read_table(path)
    if not len(ids):
        return table.slice(0, 0)
    column = table.column(ITEM_ID)
    places = range(len(column))
    first, last = ids[0].as_py(), ids[-1].as_py()
    start = bisect.bisect_left(places, first, key=lambda i: column[i].as_py())
    stop = bisect.bisect_right(places, last, key=lambda i: column[i].as_py())
    return table.slice(start, stop - start)
