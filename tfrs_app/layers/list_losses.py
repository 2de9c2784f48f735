"""What a list of candidates is trained by: pointwise, listwise or pairwise."""

from __future__ import annotations

import tensorflow as tf

FAR = -1e9


def list_loss(
    kind: str, logits: tf.Tensor, labels: tf.Tensor, weight: tf.Tensor
) -> tf.Tensor:
    """Returns the mean loss of a task, a scalar.

    Args:
        kind: `binary`: cross-entropy of each candidate; `softmax`: of the list, each of
            its positives against all of it; `pairwise`: of each positive being above
            each negative (BPR, Rendle et al. 2009, https://arxiv.org/abs/1205.2618).
        logits: float `[lists, n]`.
        labels: float `[lists, n]`, 1.0 for a positive.
        weight: float `[lists, n]`, how many candidates each stands for; 0: none.
    """
    if kind == "binary":
        each = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
        return tf.math.divide_no_nan(
            tf.reduce_sum(weight * each), tf.reduce_sum(weight)
        )
    positives = labels * tf.cast(weight > 0, tf.float32)
    if kind == "softmax":
        # A candidate that stands for w of its kind adds w times to the partition sum.
        log_weight = tf.where(weight > 0, tf.math.log(tf.maximum(weight, 1e-9)), FAR)
        log_p = logits - tf.reduce_logsumexp(logits + log_weight, axis=1, keepdims=True)
        lost = -tf.reduce_sum(positives * log_p, axis=1)
        count = tf.reduce_sum(positives, axis=1)
    else:
        negatives = weight * (1.0 - labels)
        above = logits[:, :, tf.newaxis] - logits[:, tf.newaxis, :]
        pairs = positives[:, :, tf.newaxis] * negatives[:, tf.newaxis, :]
        lost = -tf.reduce_sum(pairs * tf.math.log_sigmoid(above), axis=[1, 2])
        count = tf.reduce_sum(pairs, axis=[1, 2])
    lists = tf.reduce_sum(tf.cast(count > 0, tf.float32))
    each = tf.math.divide_no_nan(lost, count)
    return tf.math.divide_no_nan(tf.reduce_sum(each), lists)
