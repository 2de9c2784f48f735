"""What every reader yields: batches of rows that know their numbers, and rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Reject:
    """Holds one row that cannot be used; row 0 is the first data row of the file."""

    file: str
    row: int
    reason: str
    content: Any


@dataclass(frozen=True)
class Batch:
    """Holds consecutive readable rows: plain columns, their numbers, rows rejected.

    `rows` is int64 [table.num_rows].
    """

    table: pa.Table
    rows: Any
    rejects: tuple[Reject, ...] = ()
