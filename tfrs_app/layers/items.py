"""What both towers know of a catalogue item: its id's embedding and its content."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.layers.inputs import FeatureInputs, Renew
from tfrs_app.layers.lookup import FIRST_TOKEN, PADDING


class ItemIds(tf.keras.layers.Layer):
    """Embeds item indices; items outside the vocabulary get zeros.

    So they look to the towers as those do whose id is dropped in training.

    Args:
        known: size of the vocabulary of item ids.
        dim: width of the embedding.
        stddev: of the initial values.
    """

    def __init__(self, known: int, dim: int, stddev: float = 0.1) -> None:
        super().__init__(name="item_ids")
        self._rows = known + FIRST_TOKEN
        self.table = tf.keras.layers.Embedding(
            self._rows,
            dim,
            embeddings_initializer=tf.keras.initializers.RandomNormal(stddev=stddev),
            name="item_embedding",
        )

    def call(self, index: tf.Tensor) -> tf.Tensor:
        """Returns `[..., dim]` of indices `[...]`."""
        known = (index >= FIRST_TOKEN) & (index < self._rows)
        vectors = self.table(tf.where(known, index, PADDING))
        return tf.where(known[..., tf.newaxis], vectors, 0.0)


class ItemContent(tf.keras.layers.Layer):
    """Describes items by their declared features, whatever their id.

    Args:
        features: the layers of the candidate features.
        columns: looked-up features by item index, `[indices]` each; the first two rows
            stand for padding and for an unknown item.
    """

    def __init__(
        self, features: FeatureInputs, columns: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(name="item_content")
        self.features = features
        self._columns = {name: tf.constant(v) for name, v in columns.items()}

    def call(self, index: tf.Tensor, renew: Renew | None = None) -> list[tf.Tensor]:
        """Returns one `[..., width_i]` tensor a feature of indices `[...]`.

        Args:
            index: int `[...]`.
            renew: what the vectors of texts go through, or None.
        """
        columns = {name: tf.gather(v, index) for name, v in self._columns.items()}
        parts: list[tf.Tensor] = self.features(columns, renew)
        return parts
