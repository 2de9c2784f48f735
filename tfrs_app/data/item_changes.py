"""What a table of changed items says, as its reader hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LISTED = "listed"
"""Column that tells whether an item is on sale at all."""

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class ItemChanges:
    """Holds what a table says of some items; what it lacks stays as it is.

    Args:
        columns: `item_id`, distinct, and any of the candidate features, `[changes]`
            each: texts as bytes, empty where missing, numbers as float32, NaN where
            missing.
        listed: bool `[changes]`, or None if the table does not tell.
        left_out: rows of the table that the shop does not want at all.
    """

    columns: Columns
    listed: np.ndarray | None = None
    left_out: int = 0
