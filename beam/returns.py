"""Lets returns (negative quantities) undo the purchases that they send back."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tfrs_app.contract.dataset import EVENT_TYPE, QUANTITY
from tfrs_app.contract.features import ITEM_ID


def without_returns(table: pa.Table, user: Any, span: Any) -> tuple[pa.Table, Any]:
    """Removes returns and what they undo.

    A return takes its quantity off the user's newest earlier events of the same item,
    type and span; one that is used up goes. A return of a later span undoes nothing,
    since nobody knew of it at the time that a model is to be trained on.

    Args:
        table: events sorted by user and time, with a quantity (missing: 1).
        user: int [events], whose they are.
        span: int [events], the span of time (train, validation, ...) of each.

    Returns:
        The events that stand, with what is left of their quantity, and bool [events]:
        which rows these are.
    """
    quantity = table.column(QUANTITY).combine_chunks()
    left = quantity.fill_null(1).to_numpy(zero_copy_only=False).astype(np.float64)
    returned = left < 0
    if not returned.any():
        return table, ~returned
    key = _keys(table, user, span)
    stacks: dict[int, list[int]] = defaultdict(list)
    before = left.copy()
    for row in np.flatnonzero(np.isin(key, key[returned])).tolist():
        stack = stacks[key[row]]
        if not returned[row]:
            stack.append(row)
            continue
        while stack and left[row] < 0:
            undone = min(left[stack[-1]], -left[row])
            left[row] += undone
            left[stack[-1]] -= undone
            if left[stack[-1]] <= 0:
                stack.pop()
    stands = ~returned & ((left > 0) | (left == before))
    changed = pa.array(left != before)
    values = pa.array(left.astype(np.float32))
    column = pc.if_else(changed, values, quantity)
    place = table.column_names.index(QUANTITY)
    return table.set_column(place, QUANTITY, column).filter(pa.array(stands)), stands


def _keys(table: pa.Table, user: Any, span: Any) -> Any:
    """Returns int64 [events]: equal for one user's events of an item, type and span."""
    item = table.column(ITEM_ID).to_numpy().astype(np.int64)
    kind = table.column(EVENT_TYPE).to_numpy().astype(np.int64)
    key = user
    for part in (item, kind, span):
        key = key * (int(part.max(initial=0)) + 1) + part
    return key
