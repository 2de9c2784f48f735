"""Places of a list that new items get, whatever they score: so that they are seen."""

from __future__ import annotations

import math

import tensorflow as tf


def explored(
    places: tf.Tensor,
    wanted: tf.Tensor,
    score: tf.Tensor,
    new: tf.Tensor,
    share: float,
) -> tf.Tensor:
    """Gives the last places of lists to new candidates, until they have their share.

    New candidates that are listed anyway count. The best of the others replace the last
    of those that are not new, in the order of their scores.

    Args:
        places: int32 `[batch, width]`, listed candidates.
        wanted: int32 `[batch]`, places of each list that count.
        score: `[batch, n]` of the candidates, -inf for none.
        new: bool `[batch, n]`, candidates that are new.
        share: of the wanted places, rounded down.

    Returns:
        Places within the candidates, int32 `[batch, width]`.
    """
    width, n = tf.shape(places)[1], tf.shape(score)[1]
    within = tf.range(width)[tf.newaxis, :] < wanted[:, tf.newaxis]
    real = within & (tf.gather(score, places, batch_dims=1) > -math.inf)
    has = tf.gather(new, places, batch_dims=1) & real
    due = tf.cast(share * tf.cast(wanted, tf.float32) + 1e-4, tf.int32)
    due -= tf.reduce_sum(tf.cast(has, tf.int32), axis=1)
    counts = tf.one_hot(tf.where(real, places, -1), n, dtype=tf.int32)
    listed = tf.reduce_sum(counts, axis=1) > 0
    waiting = tf.where(new & ~listed, score, -math.inf)
    best = tf.math.top_k(waiting, width)
    there = tf.reduce_sum(tf.cast(best.values > -math.inf, tf.int32), axis=1)
    given = tf.minimum(due, there)[:, tf.newaxis]
    old = tf.cast(real & ~has, tf.int32)
    from_end = tf.cumsum(old, axis=1, reverse=True)  # 1 is the last that is not new
    replaced = (old > 0) & (from_end <= given)
    which = tf.clip_by_value(given - from_end, 0, tf.maximum(width - 1, 0))
    newcomers = tf.gather(best.indices, which, batch_dims=1)
    return tf.where(replaced, newcomers, places)
