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
    event's type and age.

    The hidden layer is linear in its inputs, so their differences add nothing, and one
    product of matrices makes it for all pairs, whose inputs are never laid side by
    side. An event of the very candidate has a unit of its own, which its type and age
    alone decide.

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
        self.again = tf.keras.layers.Dense(1)
        self.dim, self.units = config.dim, config.units
        self.scale = 1 / math.sqrt(config.history)

    def build(self, shape: object) -> None:
        """Makes what is neither an event's nor a candidate's alone."""
        self.product = self.add_weight("product", [self.units, self.dim])
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
        same = row[:, tf.newaxis, :] == past_row[:, :, tf.newaxis]
        weight = self._likeness(had, event, asked)  # [batch, length, n]
        weight += tf.cast(same, tf.float32) * self.again(tf.nn.relu(event))
        weight *= tf.cast(past_row != NOTHING, tf.float32)[..., tf.newaxis]
        values = tf.concat([had, tf.ones_like(age)], axis=-1)
        summed = tf.matmul(weight, values, transpose_a=True) * self.scale
        return tf.concat([summed, asked], axis=-1)

    def _likeness(
        self, had: tf.Tensor, event: tf.Tensor, asked: tf.Tensor
    ) -> tf.Tensor:
        """Returns what the unit makes of all pairs, `[batch, length, n]`."""
        batch, length = tf.unstack(tf.shape(had)[:2])
        n = tf.shape(asked)[1]
        units = tf.eye(self.units, batch_shape=[batch, n])
        of_pairs = asked[:, :, tf.newaxis, :] * self.product
        own = self.candidate(asked)[..., tf.newaxis]
        right = tf.concat([of_pairs, units, own], axis=-1)
        left = tf.concat([had, event, tf.ones_like(had[..., :1])], axis=-1)
        flat = tf.reshape(right, [batch, n * self.units, self.dim + self.units + 1])
        hidden = tf.nn.relu(tf.matmul(left, flat, transpose_b=True))
        weight = tf.matmul(tf.reshape(hidden, [-1, self.units]), self.activation)
        return tf.reshape(weight, [batch, length, n])
