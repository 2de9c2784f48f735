"""Target attention: what of a history matters to the very item that is scored."""

from __future__ import annotations

import math

import tensorflow as tf

from tfrs_app.contract.ranking_config import TargetAttentionConfig
from tfrs_app.layers.grouping import NOTHING


class TargetAttention(tf.keras.layers.Layer):
    """Sums a history's events, each as much as it matters to the candidate.

    DIN, Zhou et al. 2018, https://arxiv.org/abs/1706.06978: a unit of one hidden layer
    reads event, candidate and their product, and its activations are not normalised,
    so that more of the same weighs more. Beside what the items are like, it is told an
    event's type and age, and whether candidate and event are one item.

    The hidden layer is linear in its inputs, so their differences add nothing, and it
    is summed from parts that are never laid side by side for every pair.

    Args:
        event_types: number of tokens of event types.
        config: sizes.
    """

    def __init__(self, event_types: int, config: TargetAttentionConfig) -> None:
        super().__init__(name="target_attention")
        self.project = tf.keras.layers.Dense(config.dim, use_bias=False)
        self.types = tf.keras.layers.Embedding(
            event_types, config.units, embeddings_initializer="zeros"
        )
        self.event = tf.keras.layers.Dense(config.units)
        self.candidate = tf.keras.layers.Dense(config.units, use_bias=False)
        self.dim, self.units = config.dim, config.units
        self.scale = 1 / math.sqrt(config.history)

    def build(self, shape: object) -> None:
        """Makes what is neither an event's nor a candidate's alone."""
        self.product = self.add_weight("product", [self.units, self.dim])
        self.same = self.add_weight("same", [self.units, 1])
        self.activation = self.add_weight("activation", [self.units, 1])
        super().build(shape)

    def call(
        self,
        past: tf.Tensor,
        past_row: tf.Tensor,
        event_type: tf.Tensor,
        age_days: tf.Tensor,
        vectors: tf.Tensor,
        row: tf.Tensor,
    ) -> tf.Tensor:
        """Returns `[batch, n, 2 * dim + 1]`.

        The weighted sum of the events' vectors, the sum of the weights, and the
        candidate's own vector.

        Args:
            past: `[batch, length, width]`, what each event was about.
            past_row: int `[batch, length]`, catalogue rows; NOTHING is padding.
            event_type: int `[batch, length]`.
            age_days: float `[batch, length]`.
            vectors: `[batch, n, width]` of the candidates.
            row: int `[batch, n]`, catalogue rows.
        """
        had = self.project(tf.math.l2_normalize(past, axis=-1))
        asked = self.project(tf.math.l2_normalize(vectors, axis=-1))
        age = tf.math.log1p(tf.maximum(age_days, 0.0))[..., tf.newaxis]
        event = self.event(tf.concat([had, age], axis=-1)) + self.types(event_type)
        same = tf.cast(row[:, :, tf.newaxis] == past_row[:, tf.newaxis, :], tf.float32)
        hidden = self._products(asked, had)  # [batch, n, units, length]
        hidden += tf.transpose(event, [0, 2, 1])[:, tf.newaxis]
        hidden += self.candidate(asked)[..., tf.newaxis]
        hidden += same[:, :, tf.newaxis, :] * self.same
        weight = tf.reduce_sum(tf.nn.relu(hidden) * self.activation, axis=2)
        weight *= tf.cast(past_row != NOTHING, tf.float32)[:, tf.newaxis, :]
        values = tf.concat([had, tf.ones_like(age)], axis=-1)
        return tf.concat([tf.matmul(weight, values) * self.scale, asked], axis=-1)

    def _products(self, asked: tf.Tensor, had: tf.Tensor) -> tf.Tensor:
        """Returns the units' part that is bilinear, `[batch, n, units, length]`."""
        batch, n = tf.unstack(tf.shape(asked)[:2])
        turned = asked[:, :, tf.newaxis, :] * self.product
        flat = tf.reshape(turned, [batch, n * self.units, self.dim])
        products = tf.matmul(flat, had, transpose_b=True)
        return tf.reshape(products, [batch, n, self.units, tf.shape(had)[1]])
