"""The two-tower retrieval model, trained with a sampled softmax."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from tfrs_app.contract.features import HISTORY_ITEM_ID, ITEM_ID, Role
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.data.windows import QUERY_ROW, TARGET, TIMESTAMP, WEIGHT, WINDOW
from tfrs_app.layers.candidates import Candidates
from tfrs_app.layers.factors import FactorTables, item_factors
from tfrs_app.layers.fine_tuned_texts import FineTunedTexts
from tfrs_app.layers.inputs import FeatureInputs
from tfrs_app.layers.items import ItemContent, ItemIds
from tfrs_app.layers.lookup import FIRST_TOKEN, PADDING
from tfrs_app.layers.neighbours import Kin, text_neighbours
from tfrs_app.layers.softmax import softmax_loss
from tfrs_app.layers.trends import ItemTrends, first_seconds
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.towers import CandidateTower, QueryTower

ITEMS_A_STEP = 8192


class RetrievalModel(tfrs.Model):
    """Scores items for queries by the dot product of two vectors.

    Training compares each query once with all candidates of its batch: the batch's own
    targets (frequent items come often) and items drawn evenly from the catalogue, each
    corrected by the probability that it was there (logQ, Yi et al. 2019,
    https://doi.org/10.1145/3298689.3346996; mixed negatives, Yang et al. 2020,
    https://doi.org/10.1145/3366424.3386195). `tfrs.tasks.Retrieval` scores each example
    anew, though a basket's examples share their query, and corrects the target too.

    Args:
        encoded: dataset with look-ups; gives vocabularies, statistics and catalogue.
        config: sizes and training settings.
        fine_tuned: the texts whose encoder is trained too, or None.
        kin: the items that are worded like each item, where they are known already.
    """

    def __init__(
        self,
        encoded: EncodedDataset,
        config: RetrievalConfig,
        fine_tuned: FineTunedTexts | None = None,
        kin: Kin | None = None,
    ) -> None:
        super().__init__(name="retrieval")
        self.fine_tuned = fine_tuned
        # Not of the class: Keras would leave it out of checkpoints.
        self.encoder_optimizer: tf.keras.optimizers.Optimizer | None = None
        dataset, spec = encoded.dataset, encoded.dataset.spec
        self.encoded, self.config = encoded, config
        self.catalogue_size = len(encoded.catalogue[ITEM_ID])
        ids = ItemIds(len(dataset.vocabularies[ITEM_ID]), config.embedding_dim)
        self.content = _content(encoded, config.text_dim)
        self.factors = _factor_tables(encoded, config)
        self.query_tower = QueryTower(
            spec, config, ids, self.content, _profile(encoded), self.factors
        )
        self.candidate_tower = CandidateTower(config, ids, self.content, self.factors)
        self.candidates = Candidates(
            items=self.catalogue_size,
            drawn=config.uniform_negatives,
            in_batch=config.in_batch_negatives,
            log_q=config.log_q,
            seed=config.seed,
        )
        self.random = tf.random.Generator.from_seed(config.seed + 1)
        self.mean_loss = tf.keras.metrics.Mean(name="loss")
        self._index = tf.constant(encoded.catalogue[ITEM_ID])
        self._first_s = tf.constant(first_seconds(dataset.events, self.catalogue_size))
        self.trends = (
            ItemTrends(dataset.events, self.catalogue_size, config.trend_days)
            if config.trend_days
            else None
        )
        self.kin = kin or _kin(encoded, config.text_neighbours)

    def compile(
        self,
        optimizer: tf.keras.optimizers.Optimizer,
        encoder_optimizer: tf.keras.optimizers.Optimizer | None = None,
    ) -> None:
        """Sets what trains the towers and, if it is trained, the text encoder."""
        super().compile(optimizer=optimizer)
        self.encoder_optimizer = encoder_optimizer

    def refresh_texts(self) -> None:
        """Embeds all texts with the encoder as it is now, if it is trained."""
        text = self.content.features.text
        if self.fine_tuned is not None and text is not None:
            text.assign(self.fine_tuned.refreshed())

    def fit_factors(self, until_s: int) -> None:
        """Fits the linear factors, if there are any, to the events before a second."""
        if self.config.factors is not None and self.factors is not None:
            log = self.encoded.dataset.events
            made = item_factors(log, self.catalogue_size, self.config.factors, until_s)
            self.factors.assign(*made)

    def expect_targets(self, rows: np.ndarray) -> None:
        """Sets logQ for batches that are drawn from these targets, catalogue rows."""
        counts = np.bincount(rows, minlength=self.catalogue_size)
        self.candidates.expect(counts, self.config.batch_size)

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
        encoder = self.fine_tuned.trainable_variables if self.fine_tuned else []
        known = {variable.ref() for variable in encoder}
        towers = [v for v in self.trainable_variables if v.ref() not in known]
        for_towers, for_encoder = tape.gradient(loss, (towers, encoder))
        self.optimizer.apply_gradients(zip(for_towers, towers, strict=True))
        if self.encoder_optimizer is not None:
            pairs = zip(for_encoder, encoder, strict=True)
            self.encoder_optimizer.apply_gradients(pairs)
        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    def make_variables(self, query: Mapping[str, tf.Tensor]) -> None:
        """Makes all variables, which layers otherwise make when first called.

        Args:
            query: inputs of the query tower for no query.
        """
        self.query_tower(query)
        self._embedded(tf.zeros([0], tf.int32), tf.constant(0, tf.int64))

    # All control flow is TensorFlow's own, so there is no Python to translate.
    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64)],
        autograph=False,
    )
    def embed_items(self, rows: tf.Tensor, moment_s: tf.Tensor) -> tf.Tensor:
        """Returns the embeddings of catalogue rows `[n]` at a moment, `[n, width]`."""
        return self._embedded(rows, moment_s)

    def embed_catalogue(self, moment_s: int) -> np.ndarray:
        """Returns every item's embedding as of a moment, float32 `[items, width]`."""
        rows = np.arange(self.catalogue_size, dtype=np.int32)
        return np.concatenate(
            [
                self.embed_items(rows[start : start + ITEMS_A_STEP], moment_s).numpy()
                for start in range(0, len(rows), ITEMS_A_STEP)
            ]
        )

    def compute_loss(
        self, inputs: Mapping[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the mean corrected softmax loss of a batch, a scalar.

        Args:
            inputs: what `training_batches` yields.
            training: whether ids and events are dropped.
        """
        batch = self.candidates(inputs[TARGET], training)
        # No candidate knows more than the batch's first query may know.
        moment = tf.reduce_min(inputs[TIMESTAMP])
        items = self._embedded(batch.rows, moment, training)
        queries = self.query_tower(self._forgetful(inputs) if training else inputs)
        loss = softmax_loss(
            tf.matmul(queries, items, transpose_b=True),
            query=inputs[QUERY_ROW],
            candidate=batch.column,
            weight=inputs[WEIGHT],
            log_inclusion=batch.log_inclusion,
            is_negative=batch.is_negative
            & self._on_sale(batch.rows, moment)
            & self._new_to_user(inputs, batch.rows),
            hardest=self.config.hard_negatives,
        )
        if training and self.config.norm_penalty:
            loss += self.config.norm_penalty * sum(map(self._square, (queries, items)))
        return loss

    def _on_sale(self, rows: tf.Tensor, moment: tf.Tensor) -> tf.Tensor:
        """Returns which candidates were surely for sale at a moment, `[candidates]`."""
        if self.config.unseen_negatives:
            return tf.ones(tf.shape(rows), tf.bool)
        return tf.gather(self._first_s, rows) < moment

    def _square(self, vectors: tf.Tensor) -> tf.Tensor:
        """Returns the mean squared length of vectors `[n, width]`, factors left out."""
        learned, _, trends = tf.split(vectors, self.query_tower.blocks, axis=1)
        squares = tf.reduce_sum(learned**2, axis=1) + tf.reduce_sum(trends**2, axis=1)
        return tf.reduce_mean(squares)

    def _new_to_user(
        self, inputs: Mapping[str, tf.Tensor], rows: tf.Tensor
    ) -> tf.Tensor:
        """Returns which candidates each query's history lacks, `[queries, candidates]`.

        A model for discoveries alone is never asked for the others, so they teach
        nothing; every other model sees all as new.
        """
        candidates = tf.shape(rows)[0]
        if self.config.repeat_weight > 0:
            return tf.ones([1, candidates], tf.bool)
        history = inputs[HISTORY_ITEM_ID]  # [windows, length]
        column = tf.tensor_scatter_nd_update(
            tf.fill([self.catalogue_size + FIRST_TOKEN], candidates),
            tf.gather(self._index, rows)[:, tf.newaxis],
            tf.range(candidates),
        )
        window = tf.broadcast_to(
            tf.range(tf.shape(history)[0])[:, tf.newaxis], tf.shape(history)
        )
        pairs = tf.stack([window, tf.gather(column, history)], axis=-1)
        shape = [tf.shape(history)[0], candidates + 1]
        had = tf.scatter_nd(pairs, tf.ones_like(history), shape)[:, :-1] > 0
        if WINDOW in inputs:
            had = tf.gather(had, inputs[WINDOW])
        return ~had

    def _forgetful(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Hides events, so that no query hangs on few of them."""
        index, share = inputs[HISTORY_ITEM_ID], self.config.history_dropout
        if not share:
            return dict(inputs)
        hidden = self.random.uniform(tf.shape(index)) < share
        return {**inputs, HISTORY_ITEM_ID: tf.where(hidden, PADDING, index)}

    def _embedded(
        self, rows: tf.Tensor, moment: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        hidden = trends = None
        if training and self.config.id_dropout:
            hidden = self.random.uniform(tf.shape(rows)) < self.config.id_dropout
        kin = None if self.kin is None else self.kin.of(rows)
        if self.trends is not None:
            trends = and_of_kin(self.trends(moment), rows, kin, hidden)
        return self.candidate_tower(
            tf.gather(self._index, rows),
            trends,
            hidden,
            None
            if kin is None
            else kin._replace(rows=tf.gather(self._index, kin.rows)),
            self.fine_tuned if training else None,
        )


def _content(encoded: EncodedDataset, text_dim: int) -> ItemContent:
    dataset, texts = encoded.dataset, encoded.texts
    features = FeatureInputs(
        dataset.spec.of(Role.CANDIDATE),
        dataset.vocabularies,
        dataset.numeric,
        "item_features",
        None if texts is None else texts.vectors,
        text_dim,
    )
    return ItemContent(features, encoded.content_by_index)


def _profile(encoded: EncodedDataset) -> FeatureInputs:
    dataset, spec = encoded.dataset, encoded.dataset.spec
    features = (*spec.of(Role.QUERY), *spec.of(Role.CONTEXT))
    known = (dataset.vocabularies, dataset.numeric)
    return FeatureInputs(features, *known, "query_features")


def _factor_tables(
    encoded: EncodedDataset, config: RetrievalConfig
) -> FactorTables | None:
    if config.factors is None:
        return None
    index = encoded.catalogue[ITEM_ID]
    return FactorTables(index, len(index) + FIRST_TOKEN, config.factors.dim)


def _kin(encoded: EncodedDataset, count: int) -> Kin | None:
    if encoded.texts is None or not count:
        return None
    found = text_neighbours(encoded.texts.vectors, encoded.texts.rows, count)
    return Kin(*map(tf.constant, found))


def and_of_kin(
    trends: tf.Tensor, rows: tf.Tensor, kin: Kin | None, hidden: tf.Tensor | None
) -> tf.Tensor:
    """Returns the trends of rows `[n]`, and the means of their kin's, `[n, width]`.

    An item whose id is hidden is to look like a new one, so its trend is hidden too;
    but without kin nothing could stand for it.
    """
    own = tf.gather(trends, rows)
    if kin is None:
        return own
    if hidden is not None:
        own = tf.where(hidden[:, tf.newaxis], 0.0, own)
    # Of counts, not of their logarithms: one popular twin tells more than ten duds.
    counts = kin.mean(tf.math.expm1(tf.gather(trends, kin.rows)))
    return tf.concat([own, tf.math.log1p(counts)], axis=1)
