"""Which items are worded alike: where a new item's trend may be guessed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

ROWS_AT_ONCE = 1024
SHARPNESS = 4
"""Power of the cosine by which a neighbour counts: the near ones for much more."""


class Kin(NamedTuple):
    """Holds the items that are worded like each of some items."""

    rows: tf.Tensor
    """int32 `[items, n]`."""
    weight: tf.Tensor
    """float32 `[items, n]`, how much each counts; their sum is 1, or 0 for no kin."""

    def of(self, rows: tf.Tensor) -> Kin:
        """Returns the kin of some items."""
        return Kin(tf.gather(self.rows, rows), tf.gather(self.weight, rows))

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the weighted means `[items, width]` of values `[items, n, width]`."""
        return tf.linalg.matvec(values, self.weight, transpose_a=True)


def text_neighbours(
    vectors: np.ndarray,
    rows: Mapping[str, np.ndarray],
    count: int,
    of: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the items whose texts are most like each item's own.

    Args:
        vectors: of distinct texts, float32 `[texts, width]`.
        rows: text feature -> the row of each item's text, `[items]`; an item's vector
            is the sum over its features.
        count: neighbours wanted; never the item itself.
        of: the items whose neighbours are wanted, int `[n]`; None: all of them.

    Returns:
        int32 `[n, count]`, catalogue rows, the most similar by cosine first, fewer
        columns if there are fewer other items; and how much each counts, float32 of the
        same shape, sums 1, or 0 where no text is alike.
    """
    summed = sum(vectors[feature] for feature in rows.values())
    assert isinstance(summed, np.ndarray)
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    unit = summed / np.maximum(lengths, np.finfo(np.float32).tiny)
    count = min(count, len(unit) - 1)
    of = np.arange(len(unit)) if of is None else of
    found = np.empty((len(of), count), np.int32)
    weight = np.empty((len(of), count), np.float32)
    for start in range(0, len(of), ROWS_AT_ONCE):
        own = of[start : start + ROWS_AT_ONCE]
        cosine = unit[own] @ unit.T
        cosine[np.arange(len(own)), own] = -np.inf
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosine, nearest, axis=1), axis=1)
        nearest = np.take_along_axis(nearest, order, axis=1)
        found[start : start + len(cosine)] = nearest
        likeness = np.maximum(np.take_along_axis(cosine, nearest, axis=1), 0.0)
        weight[start : start + len(cosine)] = likeness**SHARPNESS
    total = weight.sum(axis=1, keepdims=True)
    return found, np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
