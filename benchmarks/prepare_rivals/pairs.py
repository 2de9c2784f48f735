"""What is bought together and again, by the plain rival: matrices and one sort."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

MAX_BASKET, MIN_BASKETS, SHRINKAGE, TOP = 200, 2, 5.0, 50
BLOCK = 4096
"""Items whose partners are counted by one product of matrices."""
_DAY_S = 86_400


def write_co_purchases(item: Any, basket: Any, ids: Any, output: Path) -> None:
    """Writes each item's best partners.

    Args:
        item: catalogue positions of the training span's purchases.
        basket: int64, equal for the purchases of one user's session.
        ids: of the catalogue.
        output: folder of the dataset.
    """
    known = _matrix(item, basket, len(ids))
    items, joint, others, lifts = ([np.zeros(0)] for _ in range(4))
    of, count = np.diff(known.tocsc().indptr), known.shape[0]
    known = known[:, of >= MIN_BASKETS]
    place = np.flatnonzero(of >= MIN_BASKETS)
    turned = known.T.tocsr()
    for start in range(0, len(place), BLOCK):
        met = (turned[start : start + BLOCK] @ known).tocoo()
        kept = (met.data >= MIN_BASKETS) & (met.row + start != met.col)
        first, other = place[met.row[kept] + start], place[met.col[kept]]
        both = met.data[kept]
        lift = (both + SHRINKAGE) / (of[first] * of[other] / count + SHRINKAGE)
        order = np.lexsort((other, -both, -lift, first))
        sorted_first = first[order]
        rank = np.arange(len(order)) - np.searchsorted(sorted_first, sorted_first)
        order = order[rank < TOP]
        for column, values in zip(
            (items, others, joint, lifts), (first, other, both, lift), strict=True
        ):
            column.append(values[order])
    table = {
        "item_id": ids.take(pa.array(np.concatenate(items).astype(np.int64))),
        "other_item_id": ids.take(pa.array(np.concatenate(others).astype(np.int64))),
        "baskets": np.concatenate(joint).astype(np.int64),
        "lift": np.concatenate(lifts),
    }
    (output / "co_purchases").mkdir(parents=True)
    pq.write_table(pa.table(table), output / "co_purchases" / "part-0.parquet")


def repurchase_days(item: Any, user: Any, timestamp: Any, items: int) -> Any:
    """Returns float64 [items]: the median days until a user buys an item again."""
    day = timestamp // _DAY_S
    order = np.lexsort((day, item, user))
    item, user, day = item[order], user[order], day[order]
    again = (np.diff(item) == 0) & (np.diff(user) == 0) & (np.diff(day) > 0)
    item, gap = item[1:][again], np.diff(day)[again]
    order = np.lexsort((gap, item))
    item, gap = item[order], gap[order]
    count = np.bincount(item, minlength=items)
    start = np.cumsum(count) - count
    median = np.full(items, np.nan)
    some = np.flatnonzero(count)
    low, high = (start + (count - 1) // 2)[some], (start + count // 2)[some]
    median[some] = (gap[low] + gap[high]) / 2
    return median


def _matrix(item: Any, basket: Any, items: int) -> Any:
    """Returns which basket holds which item, without the baskets that are too large."""
    number = np.unique(basket, return_inverse=True)[1]
    cells = (np.ones(len(item), dtype=np.int32), (number, item))
    matrix = sp.csr_matrix(cells, shape=(number.max() + 1, items))
    matrix.data[:] = 1  # csr_matrix has added up doubles
    return matrix[np.diff(matrix.indptr) <= MAX_BASKET]
