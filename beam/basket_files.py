"""Work files of baskets: what the events stage leaves for the co-purchases stage."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beam.baskets import BasketRule, Purchases, baskets_of
from beam.reports import BasketCounts
from beam.repurchases import repurchase_counts
from beam.sinks import read_table, write_table

_ITEM_BASKETS = "item-baskets.arrow"


@dataclass(frozen=True)
class ItemBaskets:
    """Holds the number of all baskets, and of those with each item, int64 [items]."""

    count: int
    of: Any

    def save(self, folder: Path) -> None:
        """Writes the numbers for the workers of the next stage."""
        table = pa.table({"baskets": self.of})
        counted = table.replace_schema_metadata({"count": str(self.count)})
        write_table(folder / _ITEM_BASKETS, counted)


def baskets_path(folder: Path, shard: int) -> Path:
    """Returns the baskets of one event shard: `basket` and `item`, ascending."""
    return folder / f"baskets-{shard:05d}.arrow"


def basket_items_path(folder: Path, shard: int) -> Path:
    """Returns in how many baskets of one event shard each item is."""
    return folder / f"basket-items-{shard:05d}.arrow"


def repurchases_path(folder: Path, shard: int) -> Path:
    """Returns the intervals between equal purchases in one event shard."""
    return folder / f"repurchases-{shard:05d}.arrow"


def purchase_paths(folder: Path, shard: int) -> tuple[Path, ...]:
    """Returns all files that `write_purchases` writes."""
    return tuple(
        path(folder, shard)
        for path in (baskets_path, basket_items_path, repurchases_path)
    )


def write_purchases(
    folder: Path, shard: int, purchases: Purchases, rule: BasketRule
) -> BasketCounts:
    """Writes what later stages need of a shard's purchases; returns basket counts."""
    write_table(repurchases_path(folder, shard), repurchase_counts(purchases))
    baskets = baskets_of(purchases, rule)
    rows = {
        "basket": pa.array(baskets.basket, pa.int32()),
        "item": pa.array(baskets.item, pa.int32()),
    }
    write_table(baskets_path(folder, shard), pa.table(rows))
    items, counts = np.unique(baskets.item, return_counts=True)
    counted = pa.table({"item": items, "baskets": counts})
    write_table(basket_items_path(folder, shard), counted)
    return BasketCounts(
        baskets=baskets.count, too_large=baskets.too_large, rows=len(baskets.item)
    )


def merge_item_baskets(
    folder: Path, shards: Sequence[BasketCounts], items: int
) -> ItemBaskets:
    """Adds up the baskets of all event shards.

    Args:
        folder: the events' work folder.
        shards: what each shard reported.
        items: size of the catalogue.

    Raises:
        RuntimeError: a shard's file does not hold what the shard reported.
    """
    of = np.zeros(items, dtype=np.int64)
    for shard, reported in enumerate(shards):
        table = read_table(basket_items_path(folder, shard))
        counts = table.column("baskets").to_numpy()
        if counts.sum() != reported.rows:
            raise RuntimeError(
                f"{basket_items_path(folder, shard)}: counts {counts.sum()} items of "
                f"baskets, the shard reported {reported.rows}"
            )
        of[table.column("item").to_numpy()] += counts
    return ItemBaskets(sum(shard.baskets for shard in shards), of)


@functools.lru_cache(maxsize=1)
def load_item_baskets(folder: Path) -> ItemBaskets:
    """Reads what the driver saved, once a process."""
    table = read_table(folder / _ITEM_BASKETS)
    count = int(table.schema.metadata[b"count"])
    return ItemBaskets(count, table.column("baskets").to_numpy())
