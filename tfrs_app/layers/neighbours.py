"""Which items are worded alike: where a new item's trend may be guessed from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

ROWS_AT_ONCE = 1024


def text_neighbours(
    vectors: np.ndarray, rows: Mapping[str, np.ndarray], count: int
) -> np.ndarray:
    """Returns the items whose texts are most like each item's own.

    Args:
        vectors: of distinct texts, float32 `[texts, width]`.
        rows: text feature -> the row of each item's text, `[items]`; an item's vector
            is the sum over its features.
        count: neighbours wanted; never the item itself.

    Returns:
        int32 `[items, count]`, catalogue rows, the most similar by cosine first; fewer
        columns if there are fewer other items.
    """
    summed = sum(vectors[feature] for feature in rows.values())
    assert isinstance(summed, np.ndarray)
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    unit = summed / np.maximum(lengths, np.finfo(np.float32).tiny)
    count = min(count, len(unit) - 1)
    found = np.empty((len(unit), count), np.int32)
    for start in range(0, len(unit), ROWS_AT_ONCE):
        cosine = unit[start : start + ROWS_AT_ONCE] @ unit.T
        own = np.arange(len(cosine))
        cosine[own, start + own] = -np.inf
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosine, nearest, axis=1), axis=1)
        found[start : start + len(cosine)] = np.take_along_axis(nearest, order, axis=1)
    return found
