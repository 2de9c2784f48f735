"""A text encoder small enough to know by heart, saved as a SavedModel.

A text's vector is the mean of its characters' rows in a fixed table, with the number of
characters beside it, so every text of a shop has its own and the empty one has zeros.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

BUCKETS = 97


class TinyEncoder(tf.Module):
    """`string [n] -> float32 [n, dim + 1]`."""

    def __init__(self, dim: int, seed: int) -> None:
        super().__init__()
        table = np.random.default_rng(seed).normal(size=(BUCKETS, dim))
        self.table = tf.Variable(table, dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        points = tf.strings.unicode_decode(texts, "UTF-8")
        padded = (points % BUCKETS).to_tensor(0)  # to the longest of the batch
        lengths = tf.cast(points.row_lengths(), tf.float32)[:, None]
        present = tf.sequence_mask(points.row_lengths(), tf.shape(padded)[1])
        rows = tf.gather(self.table, padded) * tf.cast(present, tf.float32)[..., None]
        mean = tf.math.divide_no_nan(tf.reduce_sum(rows, axis=1), lengths)
        return tf.concat([mean, lengths], axis=1)


class WordCounter(TinyEncoder):
    """Tells how many words a text has."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def lengths(self, texts):
        return tf.strings.split(texts).row_lengths()


def write_encoder(
    folder: Path, dim: int = 5, seed: int = 0, tells_lengths: bool = False
) -> str:
    kind = WordCounter if tells_lengths else TinyEncoder
    tf.saved_model.save(kind(dim, seed), str(folder))
    return str(folder)


class Faulty(tf.Module):
    """Answers like an encoder, but for one fault."""

    FAULTS = {
        "nan": lambda texts, ones: tf.where(texts[:, None] == "Old", np.nan, ones),
        "flat": lambda texts, ones: ones[:, 0],
        # as wide as the batch is large
        "width": lambda texts, ones: tf.repeat(ones[:, :1], tf.size(texts), axis=1),
    }

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = self.FAULTS[fault]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        return self.fault(texts, tf.ones([tf.size(texts), 3]))


def write_faulty(folder: Path, fault: str) -> str:
    tf.saved_model.save(Faulty(fault), str(folder))
    return str(folder)
