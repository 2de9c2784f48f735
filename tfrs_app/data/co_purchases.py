"""Which items are bought together, in catalogue rows: ready for a graph's constants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tfrs_app.contract.dataset import CO_PURCHASES, ITEM_STATISTICS, OTHER_ITEM_ID
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.features import ITEM_ID

_ID_COLUMNS = (ITEM_ID, OTHER_ITEM_ID)


@dataclass(frozen=True)
class CoPurchases:
    """Holds each catalogue item's partners, best first.

    Args:
        row_splits: int64 `[items + 1]`; item i owns row_splits[i]:row_splits[i + 1].
        other: int32 `[pairs]`, catalogue rows of the partners.
        lift: float64 `[pairs]`, shrunk lift; 1 is what chance would give.
        baskets: int64 `[pairs]`, baskets that hold both.
    """

    row_splits: np.ndarray
    other: np.ndarray
    lift: np.ndarray
    baskets: np.ndarray

    def with_more_items(self, count: int) -> CoPurchases:
        """Returns the same with further catalogue items, which nothing goes with."""
        splits = np.pad(self.row_splits, (0, count), mode="edge")
        return replace(self, row_splits=splits)


def read_co_purchases(folder: Path) -> CoPurchases:
    """Reads the co-purchases of a dataset folder, which the caller has verified.

    Raises:
        ArtifactError: the files are absent, or do not fit the catalogue.
    """
    paths = sorted((folder / CO_PURCHASES).glob("part-*.parquet"))
    if not paths:
        raise ArtifactError(
            f"{folder / CO_PURCHASES}: holds no files; make the dataset again"
        )
    ids = pq.read_table(folder / ITEM_STATISTICS, columns=[ITEM_ID]).column(ITEM_ID)
    pairs = pa.concat_tables([pq.read_table(path) for path in paths])
    item, other = (
        pc.index_in(pairs.column(name), value_set=ids.combine_chunks())
        for name in _ID_COLUMNS
    )
    if item.null_count or other.null_count or (np.diff(item.to_numpy()) < 0).any():
        raise ArtifactError(
            f"{folder / CO_PURCHASES}: does not fit the catalogue; make the dataset "
            "again"
        )
    counts = np.bincount(item.to_numpy(), minlength=len(ids))
    return CoPurchases(
        row_splits=np.concatenate([[0], np.cumsum(counts)]),
        other=other.to_numpy().astype(np.int32),
        lift=pairs.column("lift").to_numpy(),
        baskets=pairs.column("baskets").to_numpy(),
    )
