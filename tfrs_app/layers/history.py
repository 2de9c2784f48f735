"""A user's history to one vector."""

from __future__ import annotations

import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.layers.lookup import FIRST_TOKEN, PADDING


class HistoryPooling(tf.keras.layers.Layer):
    """Averages item embeddings, weighted by event type and by age.

    The weight of an event is its type's weight (a view counts less than a purchase)
    times `0.5 ** (age / half_life)`. Padding weighs nothing; an empty history gives
    zeros.

    Args:
        spec: names the event types and their weights.
        half_life_days: age at which an event counts half, or None for no decay.
        name: of the layer.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        half_life_days: float | None,
        name: str = "history_pooling",
    ) -> None:
        super().__init__(name=name)
        # Padding 0; an unknown type counts like the least of the known ones.
        weights = list(spec.event_weights.values())
        self.type_weights = [0.0, min(weights), *weights]
        self.half_life_days = half_life_days

    def call(
        self,
        embeddings: tf.Tensor,
        item_index: tf.Tensor,
        type_index: tf.Tensor,
        age_days: tf.Tensor,
    ) -> tf.Tensor:
        """Pools a history.

        Args:
            embeddings: `[batch, length, dim]` of the items.
            item_index: int `[batch, length]`; 0 is padding.
            type_index: int `[batch, length]` of the event types.
            age_days: float `[batch, length]`, days before the request.

        Returns:
            `[batch, dim]`.
        """
        weight = tf.gather(tf.constant(self.type_weights, tf.float32), type_index)
        weight *= tf.cast(item_index != PADDING, tf.float32)
        if self.half_life_days is not None:
            age = tf.maximum(age_days, 0.0)
            weight *= tf.pow(0.5, age / self.half_life_days)
        total = tf.reduce_sum(weight, axis=1, keepdims=True)  # [batch, 1]
        weighted = tf.reduce_sum(embeddings * weight[..., tf.newaxis], axis=1)
        return tf.math.divide_no_nan(weighted, total)


assert FIRST_TOKEN == 2, "type_weights lists padding, unknown, then the event types"
