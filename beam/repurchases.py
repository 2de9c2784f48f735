"""After how many days the same user buys the same item again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from beam.baskets import Purchases

DAY_S = 86_400


@dataclass(frozen=True)
class Repurchases:
    """Describes each catalogue item's intervals between purchases; arrays are [items].

    `intervals` counts them; `days` is their median, NaN where there is none.
    """

    intervals: Any
    days: Any


def repurchase_counts(purchases: Purchases) -> pa.Table:
    """Counts one shard's intervals by item and whole days (UTC); one day counts once.

    Returns:
        `item`, `days`, `intervals` int64, ascending by item and days.
    """
    item = purchases.item
    key = purchases.user * (int(item.max(initial=0)) + 1) + item
    # A user's purchases ascend by time, and a stable sort leaves them so.
    order = np.argsort(key, kind="stable")
    days = np.diff(purchases.timestamp[order] // DAY_S)
    again = (np.diff(key[order]) == 0) & (days > 0)
    count = np.ones(int(again.sum()), dtype=np.int64)
    return _counted(item[order][1:][again], days[again], count)


def merged_repurchases(tables: Sequence[pa.Table], items: int) -> Repurchases:
    """Merges the counts of all shards.

    Args:
        tables: what `repurchase_counts` returned.
        items: size of the catalogue.
    """
    rows = pa.concat_tables(tables)
    columns = (rows.column(name).to_numpy() for name in ("item", "days", "intervals"))
    merged = _counted(*columns)
    item, days, count = (column.to_numpy() for column in merged.columns)
    intervals = np.bincount(item, weights=count, minlength=items).astype(np.int64)
    before = np.cumsum(intervals) - intervals
    some = np.flatnonzero(intervals)
    ends = np.cumsum(count)
    middle = [
        days[np.searchsorted(ends, (before + rank)[some], side="right")]
        for rank in ((intervals - 1) // 2, intervals // 2)
    ]
    median = np.full(items, np.nan)
    median[some] = (middle[0] + middle[1]) / 2
    return Repurchases(intervals, median)


def _counted(item: Any, days: Any, count: Any) -> pa.Table:
    """Adds up the counts of equal (item, days)."""
    order = np.lexsort((days, item))
    item, days, count = item[order], days[order], count[order]
    new = np.ones(len(item), dtype=bool)
    new[1:] = (np.diff(item) != 0) | (np.diff(days) != 0)
    total = np.add.reduceat(count, np.flatnonzero(new)) if len(item) else count
    return pa.table({"item": item[new], "days": days[new], "intervals": total})
