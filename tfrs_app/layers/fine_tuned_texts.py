"""Texts whose encoder learns: some of a batch are embedded anew, the others not."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfrs_app.layers.text import TextEncoder

REFRESHED_AT_ONCE = 256
"""Texts; more need memory and gain no speed."""


class FineTunedTexts(tf.keras.layers.Layer):
    """Lets gradients reach a text encoder at a bounded cost a step.

    A batch that is compared with a whole catalogue would embed the whole catalogue, so
    an even sample of its texts is embedded now and takes the gradients; the others are
    read from the vectors of the last `refreshed`. Source of the idea: the memory bank
    of Wu et al. 2018, https://doi.org/10.1109/CVPR.2018.00393.

    Args:
        encoder: what embeds and learns.
        texts: all distinct texts, bytes `[texts]`.
        per_step: most texts that a step embeds.
        seed: of the draws.
    """

    def __init__(
        self, encoder: TextEncoder, texts: np.ndarray, per_step: int, seed: int
    ) -> None:
        super().__init__(name="fine_tuned_texts")
        self.encoder = encoder
        self.texts = tf.constant(texts)
        self.per_step = per_step
        # Its state is a variable, so a resumed training draws what it would have drawn.
        self.random = tf.random.Generator.from_seed(seed)

    def call(self, rows: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
        """Embeds a sample anew.

        Args:
            rows: int32 `[n]`, distinct; those past the last text stand for no text.
            vectors: `[n, width]`, as of the last `refreshed`.

        Returns:
            `[n, width]`, new where drawn.
        """
        places = tf.where(rows < len(self.texts))[:, 0]
        order = tf.argsort(self.random.uniform(tf.shape(places)))
        drawn = tf.gather(places, order[: self.per_step])
        fresh = self.encoder(tf.gather(self.texts, tf.gather(rows, drawn)))
        return tf.tensor_scatter_nd_update(vectors, drawn[:, tf.newaxis], fresh)

    def refreshed(self) -> tf.Tensor:
        """Returns the present vectors of all texts, `[texts, width]`."""
        # Of like length: a batch costs what its longest text costs.
        order = tf.argsort(tf.strings.length(self.texts))
        starts = range(0, len(self.texts), REFRESHED_AT_ONCE)
        batches = [order[start : start + REFRESHED_AT_ONCE] for start in starts]
        vectors = [self.encoder(tf.gather(self.texts, batch)) for batch in batches]
        return tf.gather(tf.concat(vectors, axis=0), tf.argsort(order))
