"""The two-tower retrieval model, trained with a sampled softmax through TFRS."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from tfrs_app.contract.config import RetrievalConfig
from tfrs_app.contract.features import ITEM_ID
from tfrs_app.data.windows import MOMENT, QUERY_ROW, TARGET, WEIGHT
from tfrs_app.layers.lookup import UNKNOWN
from tfrs_app.layers.popularity import RecentPopularity
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.towers import (
    POPULARITY,
    CandidateTower,
    QueryTower,
    item_embedding,
)


class RetrievalModel(tfrs.Model):
    """Scores items for queries by the dot product of two unit vectors.

    Training draws negatives from the batch (frequent items come often) and, if
    configured, uniformly from the catalogue. Both are corrected by the expected number
    of times that an item stands in a batch (logQ, Yi et al. 2019,
    https://doi.org/10.1145/3298689.3346996; mixed negatives, Yang et al. 2020,
    https://doi.org/10.1145/3366424.3386195).

    Args:
        encoded: dataset with look-ups; gives vocabularies, statistics and catalogue.
        config: sizes and training settings.
    """

    def __init__(self, encoded: EncodedDataset, config: RetrievalConfig) -> None:
        super().__init__(name="retrieval")
        dataset = encoded.dataset
        items = item_embedding(dataset.vocabularies, config.embedding_dim)
        towers = (dataset.spec, dataset.vocabularies, dataset.numeric, config, items)
        self.query_tower = QueryTower(*towers)
        self.candidate_tower = CandidateTower(*towers)
        self.catalogue_size = len(encoded.catalogue[ITEM_ID])
        self.config = config
        # Its state is a variable, so a resumed training draws what it would have drawn.
        self.random = tf.random.Generator.from_seed(config.seed)
        self.mean_loss = tf.keras.metrics.Mean(name="loss")
        if config.popularity_days:
            self.popularity = RecentPopularity(dataset.events, config.popularity_days)
        self._catalogue = {k: tf.constant(v) for k, v in encoded.catalogue.items()}
        self._presence = tf.Variable(tf.ones([self.catalogue_size]), trainable=False)
        self.task = tfrs.tasks.Retrieval(
            loss=tf.keras.losses.CategoricalCrossentropy(
                from_logits=True, reduction=tf.keras.losses.Reduction.SUM
            ),
            temperature=config.temperature,
            remove_accidental_hits=True,
        )

    def expect_targets(self, rows: np.ndarray) -> None:
        """Sets logQ for batches that are drawn from these targets, catalogue rows."""
        counts = np.bincount(rows, minlength=self.catalogue_size)
        self._presence.assign(
            relative_presence(
                counts / counts.sum(),
                self.config.batch_size,
                self.config.uniform_negatives,
            )
        )

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """Returns what Keras resets between epochs."""
        return [self.mean_loss]

    def train_step(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes one gradient step; reports the epoch's mean loss, no ranking metric.

        TFRS' own step reports the last batch's loss. Its top-k metric would make a step
        about 17 times slower, so ranking is measured between epochs instead.
        """
        with tf.GradientTape() as tape:
            loss = self.compute_loss(inputs, training=True)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(
            zip(gradients, self.trainable_variables, strict=True)
        )
        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    def candidates(self, rows: tf.Tensor, moment: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the candidate inputs of catalogue rows `[n]` as of moments `[n]`."""
        inputs = {name: tf.gather(v, rows) for name, v in self._catalogue.items()}
        if self.config.popularity_days:
            inputs[POPULARITY] = self.popularity(rows, moment)
        return inputs

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64)]
    )
    def embed_items(self, rows: tf.Tensor, moment_s: tf.Tensor) -> tf.Tensor:
        """Returns the embeddings of catalogue rows `[n]` at a moment, `[n, dim]`."""
        moment = tf.fill(tf.shape(rows), moment_s)
        embeddings: tf.Tensor = self.candidate_tower(self.candidates(rows, moment))
        return embeddings

    def compute_loss(
        self, inputs: Mapping[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the mean corrected softmax loss of a batch, a scalar.

        Args:
            inputs: what `training_batches` yields.
            training: whether ids are dropped.
        """
        rows, moment = self._with_uniform_negatives(inputs[TARGET], inputs[MOMENT])
        candidates = self.candidates(rows, moment)
        if training and self.config.id_dropout:
            candidates[ITEM_ID] = self._dropped(candidates[ITEM_ID])
        queries = self.query_tower(inputs)  # [queries, dim]
        weight = inputs[WEIGHT]
        loss = self.task(
            query_embeddings=tf.gather(queries, inputs[QUERY_ROW]),
            candidate_embeddings=self.candidate_tower(candidates),
            sample_weight=weight,
            candidate_sampling_probability=tf.gather(self._presence, rows),
            candidate_ids=rows,
            score_mask=other_baskets(inputs[QUERY_ROW], self.config.uniform_negatives),
            compute_metrics=False,
            compute_batch_metrics=False,
        )
        return loss / tf.maximum(tf.reduce_sum(weight), 1e-6)

    def _with_uniform_negatives(
        self, rows: tf.Tensor, moment: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Appends items drawn evenly from the catalogue, at moments of the batch."""
        drawn = self.random.uniform(
            [self.config.uniform_negatives],
            maxval=self.catalogue_size,
            dtype=rows.dtype,
        )
        when = self.random.uniform(
            [self.config.uniform_negatives], maxval=tf.shape(moment)[0], dtype=tf.int32
        )
        moments = tf.concat([moment, tf.gather(moment, when)], axis=0)
        return tf.concat([rows, drawn], axis=0), moments

    def _dropped(self, index: tf.Tensor) -> tf.Tensor:
        hidden = self.random.uniform(tf.shape(index)) < self.config.id_dropout
        return tf.where(hidden, tf.cast(UNKNOWN, index.dtype), index)


def other_baskets(query_row: tf.Tensor, uniform_negatives: int) -> tf.Tensor:
    """Returns which candidates count for which example, bool `[batch, candidates]`.

    The other targets of an example's own query were bought too: no negatives.
    """
    foreign = query_row[:, tf.newaxis] != query_row[tf.newaxis, :]
    in_batch = tf.linalg.set_diag(foreign, tf.ones_like(query_row, tf.bool))
    return tf.pad(in_batch, [[0, 0], [0, uniform_negatives]], constant_values=True)


def relative_presence(
    frequency: np.ndarray, batch_size: int, uniform_negatives: int
) -> np.ndarray:
    """Returns how often each item stands in a batch, relative to the most frequent.

    TFRS clips the probabilities that it is given to [1e-6, 1], which is silently wrong
    for rare items of a big catalogue. A softmax doesn't change when all its logits move
    by one constant, so probabilities may be scaled freely: with the maximum at 1, the
    clip reaches only items a million times rarer than the most frequent one.
    """
    items = len(frequency)
    expected = batch_size * frequency + uniform_negatives / items
    presence: np.ndarray = (expected / expected.max()).astype(np.float32)
    return presence
