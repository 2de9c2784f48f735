"""Sets of small integers inside a graph: group-by and membership."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

NOTHING = -1
"""The key that belongs to no group."""


class Groups(NamedTuple):
    """Holds the distinct keys of each row of a batch, in ascending order."""

    key: tf.Tensor
    """int32 `[batch, n]`; NOTHING where a row has fewer distinct keys."""
    total: tf.Tensor
    """float32 `[batch, n, width]`, the sum of each key's values; 0 beside NOTHING."""


def grouped(key: tf.Tensor, values: tf.Tensor) -> Groups:
    """Sums the values of equal keys.

    Args:
        key: int32 `[batch, n]`; NOTHING is left out.
        values: float32 `[batch, n, width]`.
    """
    order = tf.argsort(key, axis=1, stable=True)
    ordered = tf.gather(key, order, batch_dims=1)
    before = tf.pad(ordered[:, :-1], [[0, 0], [1, 0]], constant_values=NOTHING)
    starts = tf.cast(ordered != before, tf.int32)
    place = tf.cumsum(starts, axis=1) - 1  # [batch, n], -1 before the first group
    batch, n = tf.unstack(tf.shape(key))
    segment = tf.range(batch)[:, tf.newaxis] * n + place
    segment = tf.reshape(tf.where(place >= 0, segment, -1), [-1])  # -1 is dropped
    width = values.shape[2]
    flat = tf.reshape(tf.gather(values, order, batch_dims=1), [-1, width])
    total = tf.math.unsorted_segment_sum(flat, segment, batch * n)
    keys = tf.math.unsorted_segment_max(tf.reshape(ordered, [-1]), segment, batch * n)
    return Groups(
        tf.reshape(tf.maximum(keys, NOTHING), [batch, n]),
        tf.reshape(total, [batch, n, width]),
    )


def sums_by_key(key: tf.Tensor, values: tf.Tensor, asked: tf.Tensor) -> tf.Tensor:
    """Returns the sum of the values of each asked key, 0 for a key that is not there.

    It takes time by the logarithm of `n` for each key, and by no catalogue's size.

    Args:
        key: int32 `[batch, n]`, not NOTHING.
        values: float32 `[batch, n, width]`.
        asked: int32 `[batch, m]`; NOTHING has no sum.

    Returns:
        float32 `[batch, m, width]`.
    """
    # Behind the last key, so that every asked key has a place, with or without keys.
    last = [[0, 0], [0, 1]]
    ordered = tf.pad(tf.sort(key, axis=1), last, constant_values=key.dtype.max)
    found = tf.searchsorted(ordered, asked)
    sums = _segments(tf.searchsorted(ordered, key), values, tf.shape(ordered)[1], found)
    held = tf.gather(ordered, found, batch_dims=1) == asked
    return tf.where(held[..., tf.newaxis], sums, 0.0)


def sums_by_label(
    key: tf.Tensor, values: tf.Tensor, asked: tf.Tensor, labels: int
) -> tf.Tensor:
    """Does what `sums_by_key` does, for keys under a number that is not large.

    No sorting, but `[batch, labels, width]` in between.
    """
    sums = _segments(key, values, labels, tf.maximum(asked, 0))
    return tf.where((asked != NOTHING)[..., tf.newaxis], sums, 0.0)


def _segments(
    place: tf.Tensor, values: tf.Tensor, places: tf.Tensor | int, asked: tf.Tensor
) -> tf.Tensor:
    """Sums values `[batch, n, width]` by place; returns the sums at places asked."""
    batch, width = tf.shape(place)[0], values.shape[2]
    first = tf.range(batch)[:, tf.newaxis] * places
    total = tf.math.unsorted_segment_sum(
        tf.reshape(values, [-1, width]),
        tf.reshape(first + place, [-1]),
        batch * places,
    )
    return tf.gather(total, first + asked)


def marked(key: tf.Tensor, batch: tf.Tensor, width: int) -> tf.Tensor:
    """Returns which of the numbers under `width` each row holds, bool `[batch, width]`.

    Args:
        key: int32 `[batch or 1, n]`; NOTHING is left out.
        batch: int32 scalar.
        width: more than every key.
    """
    key = tf.broadcast_to(key, [batch, tf.shape(key)[1]])
    column = tf.where(key == NOTHING, width, key)
    row = tf.broadcast_to(tf.range(batch)[:, tf.newaxis], tf.shape(key))
    return tf.tensor_scatter_nd_update(
        tf.zeros([batch, width + 1], tf.bool),
        tf.stack([tf.reshape(row, [-1]), tf.reshape(column, [-1])], axis=1),
        tf.ones([tf.size(key)], tf.bool),
    )[:, :width]
