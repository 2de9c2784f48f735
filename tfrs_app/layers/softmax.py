"""A softmax over the catalogue, estimated from the candidates of one batch."""

from __future__ import annotations

import tensorflow as tf

NEVER = -1e9
"""A logit whose exponential is 0; unlike -inf it leaves gradients finite."""


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
    target = tf.gather_nd(scores, pairs)  # [examples]
    own = tf.scatter_nd(pairs, tf.ones_like(weight), tf.shape(scores)) > 0
    allowed = is_negative & ~own
    negative = tf.where(allowed, scores - log_inclusion[tf.newaxis, :], NEVER)
    if hardest is not None:
        count = tf.minimum(hardest, tf.shape(negative)[1])
        negative = tf.math.top_k(negative, count, sorted=False).values
    rest = tf.gather(tf.reduce_logsumexp(negative, axis=1), query)
    # log(1 + e^(rest - target)): the loss of an example.
    loss = tf.reduce_sum(weight * tf.nn.softplus(rest - target))
    return loss / tf.maximum(tf.reduce_sum(weight), 1e-6)
