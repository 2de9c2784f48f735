"""A softmax over the catalogue, estimated from the candidates of one batch."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

NEVER = -1e9
"""A logit whose exponential is 0; unlike -inf it leaves gradients finite."""

Gradient = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def softmax_loss(
    scores: tf.Tensor,
    *,
    query: tf.Tensor,
    candidate: tf.Tensor,
    weight: tf.Tensor,
    log_inclusion: tf.Tensor,
    is_negative: tf.Tensor,
    hardest: int | None = None,
) -> tf.Tensor:
    """Returns the weighted mean of -log P(target | query), a scalar.

    The sum over the whole catalogue below the fraction is estimated by Horvitz and
    Thompson: each candidate other than the query's own targets counts 1 / (probability
    that it is in the batch). The target itself is always there, so it counts once and
    is not corrected. If every item is a candidate, it is the exact softmax. The sum is
    made once a query, however many targets the query has.

    Args:
        scores: `[queries, candidates]`.
        query: int `[examples]`, row of each example's query.
        candidate: int `[examples]`, column of each example's target.
        weight: `[examples]`.
        log_inclusion: `[candidates]`, log probability that a batch holds it.
        is_negative: bool, broadcast to `[queries, candidates]`: False for a candidate
            that is there as a target only, or that a query's user may not be shown.
        hardest: only so many of a query's best scored negatives count; None: all.
    """
    pairs = tf.stack([query, candidate], axis=1)

    def negatives(scores: tf.Tensor) -> tf.Tensor:
        open_ones = tf.where(is_negative, scores - log_inclusion[tf.newaxis, :], NEVER)
        own = tf.fill(tf.shape(query), NEVER)
        return tf.tensor_scatter_nd_update(open_ones, pairs, own)

    if hardest is None:
        target, rest = _target_and_rest(scores, pairs, negatives)
    else:
        target, negative = tf.gather_nd(scores, pairs), negatives(scores)
        count = tf.minimum(hardest, tf.shape(negative)[1])
        best = tf.math.top_k(negative, count, sorted=False).values
        rest = tf.reduce_logsumexp(best, axis=1)
    # log(1 + e^(rest - target)): the loss of an example.
    losses = tf.nn.softplus(tf.gather(rest, query) - target)
    return tf.reduce_sum(weight * losses) / tf.maximum(tf.reduce_sum(weight), 1e-6)


def _target_and_rest(
    scores: tf.Tensor, pairs: tf.Tensor, negatives: Callable[[tf.Tensor], tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the targets' scores `[examples]`, the negatives' log sum `[queries]`.

    TensorFlow's own gradient reads and writes the whole matrix some ten times more.
    """

    @tf.custom_gradient
    def both(scores: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], Gradient]:
        negative = negatives(scores)
        highest = tf.reduce_max(negative, axis=1, keepdims=True)
        part = tf.exp(negative - highest)
        total = tf.reduce_sum(part, axis=1, keepdims=True)

        def gradient(of_target: tf.Tensor, of_rest: tf.Tensor) -> tf.Tensor:
            share = tf.convert_to_tensor(of_rest)[:, tf.newaxis] / total
            return tf.tensor_scatter_nd_add(part * share, pairs, of_target)

        rest = tf.squeeze(highest + tf.math.log(total), axis=1)
        return (tf.gather_nd(scores, pairs), rest), gradient

    target, rest = both(scores)
    return target, rest
