"""The catalogue's texts inside a SavedModel: what is worded like a given text."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.neighbours import SHARPNESS, Kin
from tfrs_app.layers.text import TextEncoder


class ItemTexts(tf.Module):
    """Compares texts with those of all items.

    Args:
        encoder: that the items' texts were embedded by.
        texts: of the catalogue; an item's vector is the sum over its features.
    """

    def __init__(self, encoder: TextEncoder, texts: TextEmbeddings) -> None:
        super().__init__(name="item_texts")
        self.encoder = encoder
        summed = np.sum([texts.of(name) for name in texts.rows], axis=0)
        directions = tf.math.l2_normalize(summed, axis=1)
        self.directions = tf.Variable(directions, trainable=False)

    def likeness(self, vectors: tf.Tensor) -> tf.Tensor:
        """Returns the cosine of vectors `[n, width]` with each item's, `[n, items]`."""
        unit = tf.math.l2_normalize(vectors, axis=1)
        return tf.matmul(unit, self.directions, transpose_b=True)

    def nearest(
        self, text: tf.Tensor, barred: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the items that are worded most like texts.

        Args:
            text: string `[n]`.
            barred: bool `[n, items]`, what is not wanted.
            count: int32 scalar, of items wanted.

        Returns:
            Catalogue rows `[n, count or all]`, NOTHING behind the last allowed one; and
            cosines.
        """
        cosine = tf.where(barred, -math.inf, self.likeness(self.encoder(text)))
        best = tf.math.top_k(cosine, tf.minimum(count, tf.shape(cosine)[1]))
        found = best.values > -math.inf
        return tf.where(found, best.indices, NOTHING), best.values

    def kin(self, vectors: tf.Tensor, count: int) -> Kin:
        """Returns the items that are worded most like vectors `[n, width]`."""
        nearest = tf.math.top_k(self.likeness(vectors), count)
        weight = tf.maximum(nearest.values, 0.0) ** SHARPNESS
        total = tf.reduce_sum(weight, axis=1, keepdims=True)
        return Kin(nearest.indices, tf.math.divide_no_nan(weight, total))
