"""The TensorFlow Recommenders DCN tutorial, written for the funnel's candidates.

https://www.tensorflow.org/recommenders/examples/dcn: rows, shuffled and batched by
`tf.data`, through `tfrs.layers.dcn.Cross` and dense layers, `tfrs.tasks.Ranking` and
its metric in the training step. A row is one tf.train.Example, as in any pipeline of
rows, and is parsed by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.training.ranking_lists import Lists
from training_rivals.pace import Run

SHUFFLED = 100_000
LABEL, FEATURES = "label", "features"
Rows = dict[str, tf.Tensor]


class PlainDcn(tfrs.Model):
    """Cross and deep layers over a row's features, of our ranker's sizes."""

    def __init__(self, config: RankingConfig, features: np.ndarray) -> None:
        super().__init__()
        self.scale = tf.keras.layers.Normalization()
        self.scale.adapt(features)
        self.dropout = tf.keras.layers.Dropout(config.dropout)
        self.cross = [
            tfrs.layers.dcn.Cross(projection_dim=config.cross_rank)
            for _ in range(config.cross_layers)
        ]
        self.deep = tf.keras.Sequential(
            [tf.keras.layers.Dense(width, "relu") for width in config.deep_layers]
        )
        self.head = tf.keras.layers.Dense(1, "sigmoid")
        self.task = tfrs.tasks.Ranking(
            loss=tf.keras.losses.BinaryCrossentropy(),
            metrics=[tf.keras.metrics.RootMeanSquaredError("RMSE")],
        )

    def call(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns probabilities `[batch, 1]`."""
        start = self.dropout(self.scale(features), training=training)
        crossed = start
        for layer in self.cross:
            crossed = layer(start, crossed)
        return self.head(self.deep(crossed))

    def compute_loss(self, inputs: Rows, training: bool = False) -> tf.Tensor:
        """Returns the mean cross-entropy of rows."""
        predictions = self(inputs[FEATURES], training=training)
        return self.task(labels=inputs[LABEL], predictions=predictions)


def write_rows(lists: Lists, file: Path) -> None:
    """Writes each candidate of the lists as one tf.train.Example."""
    real = lists.row != NOTHING
    features, labels = lists.features[real], lists.label[real][:, -1]
    with tf.io.TFRecordWriter(str(file)) as writer:
        for values, label in zip(features.astype(np.float32), labels, strict=True):
            row = {
                FEATURES: tf.train.Feature(float_list=tf.train.FloatList(value=values)),
                LABEL: tf.train.Feature(
                    float_list=tf.train.FloatList(value=[float(label)])
                ),
            }
            example = tf.train.Example(features=tf.train.Features(feature=row))
            writer.write(example.SerializeToString())


def parser(columns: int) -> Callable[[tf.Tensor], Rows]:
    """Returns what reads one row."""
    spec = {
        FEATURES: tf.io.FixedLenFeature([columns], tf.float32),
        LABEL: tf.io.FixedLenFeature([1], tf.float32),
    }

    def parse(row: tf.Tensor) -> Rows:
        parsed: Rows = tf.io.parse_single_example(row, spec)
        return parsed

    return parse


def train(
    lists: Lists, file: Path, config: RankingConfig, *, rows_a_step: int, cached: bool
) -> Run:
    """Trains two epochs and measures the second.

    Args:
        lists: what the file holds.
        file: of `write_rows`.
        config: sizes.
        rows_a_step: the batch.
        cached: whether the first epoch's batches are kept in memory for the second.
    """
    real = lists.row != NOTHING
    model = PlainDcn(config, lists.features[real].astype(np.float32))
    model.compile(optimizer=tf.keras.optimizers.Adam(config.learning_rate))
    rows = tf.data.TFRecordDataset(str(file))
    rows = rows.map(parser(lists.features.shape[2]), tf.data.AUTOTUNE)
    batches = rows.shuffle(SHUFFLED).batch(rows_a_step, drop_remainder=True)
    if cached:
        batches = batches.cache()
    batches = batches.prefetch(tf.data.AUTOTUNE)
    model.fit(batches, verbose=0)
    began, began_cpu = time.perf_counter(), time.process_time()
    model.fit(batches, verbose=0)
    examples = real.sum() // rows_a_step * rows_a_step
    return Run(
        examples / (time.perf_counter() - began),
        examples / (time.process_time() - began_cpu),
        0.0,
    )
