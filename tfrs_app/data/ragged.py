"""Rows of different lengths as one array."""

from __future__ import annotations

import numpy as np


def padded(
    row_splits: np.ndarray,
    values: np.ndarray,
    fill: object,
    *,
    longest: int | None = None,
) -> np.ndarray:
    """Returns flat values row by row, `[rows, width]`, of their dtype.

    Args:
        row_splits: int `[rows + 1]`; row r owns row_splits[r]:row_splits[r + 1].
        values: `[n]`.
        fill: stands behind the last value of a row.
        longest: values that a row keeps at most, its first; None: all.
    """
    counts = np.diff(row_splits)
    kept = counts if longest is None else np.minimum(counts, longest)
    width = int(kept.max(initial=0)) if longest is None else longest
    table = np.full((len(counts), width), fill, values.dtype)
    inside = np.arange(width) < kept[:, np.newaxis]
    row, column = np.nonzero(inside)
    table[row, column] = values[np.asarray(row_splits)[row] + column]
    return table
