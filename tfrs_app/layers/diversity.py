"""Lists that do not say the same twice: maximal marginal relevance."""

from __future__ import annotations

import math

import tensorflow as tf


def diversified(
    score: tf.Tensor, vectors: tf.Tensor, width: tf.Tensor, diversity: tf.Tensor
) -> tf.Tensor:
    """Chooses candidates one by one, each good and unlike those before it.

    A candidate is worth `(1 - diversity) * relevance - diversity * likeness`: its
    score's share of the list's range, and its highest cosine with a chosen one.
    Source: Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025.

    Args:
        score: float32 `[batch, n]`; -inf for no candidate.
        vectors: float32 `[batch, n, dim]`, of length 1.
        width: int32 scalar, how many to choose; at most n.
        diversity: float32 `[batch]`, from 0 (by score) to 1.

    Returns:
        Places within the list, int32 `[batch, width]`, in the order of choice; those of
        no candidate come last.
    """
    real = score > -math.inf
    high = tf.reduce_max(tf.where(real, score, -math.inf), axis=1, keepdims=True)
    low = tf.reduce_min(tf.where(real, score, math.inf), axis=1, keepdims=True)
    relevance = tf.math.divide_no_nan(score - low, high - low)
    trade = diversity[:, tf.newaxis]
    relevance = tf.where(trade > 0, relevance, score)  # shares may round to a tie
    n = tf.shape(score)[1]

    def choose(
        step: tf.Tensor, places: tf.TensorArray, likeness: tf.Tensor, free: tf.Tensor
    ) -> tuple[tf.Tensor, tf.TensorArray, tf.Tensor, tf.Tensor]:
        worth = (1.0 - trade) * relevance - trade * likeness
        worth = tf.where(real, worth, -1e38)  # behind every candidate
        place = tf.argmax(tf.where(free, worth, -math.inf), 1, tf.int32)
        chosen = tf.gather(vectors, place, batch_dims=1)
        likeness = tf.maximum(likeness, tf.linalg.matvec(vectors, chosen))
        free &= ~tf.one_hot(place, n, True, False, dtype=tf.bool)
        return step + 1, places.write(step + 1, place), likeness, free

    # The first entry chooses nothing: an empty array could not be stacked.
    places = tf.TensorArray(tf.int32, width + 1, element_shape=[None])
    _, places, _, _ = tf.while_loop(
        lambda step, *_: step < width,
        choose,
        (
            tf.constant(0),
            places.write(0, tf.zeros(tf.shape(score)[:1], tf.int32)),
            tf.zeros_like(score),  # unlike what is opposite, nothing is a gain
            tf.fill(tf.shape(score), True),
        ),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape(None),
            tf.TensorShape([None, None]),
            tf.TensorShape([None, None]),
        ),
    )
    return tf.transpose(places.stack())[:, 1:]
