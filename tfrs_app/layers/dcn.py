"""DCN-v2: cross and deep layers that tell tasks apart."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_recommenders as tfrs

from tfrs_app.contract.ranking_config import RankingConfig


class DeepCrossNetwork(tf.keras.layers.Layer):
    """Makes one logit a task of what is told of a candidate.

    Cross layers (DCN-v2, Wang et al. 2021, https://arxiv.org/abs/2008.13535) and deep
    layers. Tasks share the deep layers, or mix several of them each in its own way
    (MMoE, Ma et al. 2018, https://doi.org/10.1145/3219819.3220007).

    Args:
        config: sizes.
        tasks: how many.
    """

    def __init__(self, config: RankingConfig, tasks: int) -> None:
        super().__init__()
        self.parallel = config.parallel
        self.dropout = tf.keras.layers.Dropout(config.dropout)
        self.cross = [
            tfrs.layers.feature_interaction.Cross(projection_dim=config.cross_rank)
            for _ in range(config.cross_layers)
        ]
        self.experts = [_Deep(config.deep_layers) for _ in range(config.experts or 1)]
        self.gates = [
            tf.keras.layers.Dense(config.experts, "softmax")
            for _ in range(tasks)
            if config.experts
        ]
        self.heads = [tf.keras.layers.Dense(1) for _ in range(tasks)]

    def call(self, told: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns logits `[..., tasks]`.

        Args:
            told: `[..., width]`.
            training: whether some of it is dropped.
        """
        told = self.dropout(told, training=training)
        crossed = told
        for layer in self.cross:
            crossed = layer(told, crossed)
        behind = told if self.parallel else crossed
        deep = [expert(behind) for expert in self.experts]
        logits = []
        for task, head in enumerate(self.heads):
            own = self._mixed(deep, told, task)
            if self.parallel:
                own = tf.concat([crossed, own], axis=-1)
            logits.append(head(own))
        return tf.concat(logits, axis=-1)

    def _mixed(
        self, deep: Sequence[tf.Tensor], told: tf.Tensor, task: int
    ) -> tf.Tensor:
        """Returns what a task sees of the experts' outputs, `[..., width]`."""
        if not self.gates:
            return deep[0]
        shares = self.gates[task](told)[..., tf.newaxis, :]
        return tf.reduce_sum(shares * tf.stack(deep, axis=-1), axis=-1)


class _Deep(tf.keras.layers.Layer):
    """Stacks dense layers."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.stack = [tf.keras.layers.Dense(width, "relu") for width in widths]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs
