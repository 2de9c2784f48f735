"""The query and the candidate tower: dicts of looked-up inputs to unit vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfrs_app.contract.config import RetrievalConfig
from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    ITEM_ID,
    FeatureSpec,
    Role,
)
from tfrs_app.data.dataset import NumericStatistics
from tfrs_app.layers.history import HistoryPooling
from tfrs_app.layers.inputs import SECONDS_PER_DAY, FeatureInputs
from tfrs_app.layers.lookup import FIRST_TOKEN, Vocabularies

TIMESTAMP = "timestamp"
POPULARITY = "_popularity"  # no feature can be called so


def item_embedding(vocabularies: Vocabularies, dim: int) -> tf.keras.layers.Embedding:
    """Makes the item embedding that history and candidate tower share."""
    rows = max(len(vocabularies[ITEM_ID]), 1) + FIRST_TOKEN
    return tf.keras.layers.Embedding(
        rows,
        dim,
        embeddings_initializer=tf.keras.initializers.RandomNormal(stddev=dim**-0.5),
        name="item_embedding",
    )


class _Tower(tf.keras.layers.Layer):
    """Runs the dense layers that end every tower; the output has length 1."""

    def __init__(self, hidden: Sequence[int], dim: int, name: str) -> None:
        super().__init__(name=name)
        self.hidden = [tf.keras.layers.Dense(width, "relu") for width in hidden]
        self.output_layer = tf.keras.layers.Dense(dim)

    def project(self, parts: Sequence[tf.Tensor], skip: tf.Tensor) -> tf.Tensor:
        """Returns unit vectors `[batch, dim]`: `skip` plus an MLP over all parts."""
        vector = tf.concat([skip, *parts], axis=-1)
        for layer in self.hidden:
            vector = layer(vector)
        return tf.math.l2_normalize(skip + self.output_layer(vector), axis=-1)


class QueryTower(_Tower):
    """Embeds a user by history, profile and context; knows no user id."""

    def __init__(
        self,
        spec: FeatureSpec,
        vocabularies: Vocabularies,
        statistics: Mapping[str, NumericStatistics],
        config: RetrievalConfig,
        items: tf.keras.layers.Embedding,
    ) -> None:
        super().__init__(config.query_layers, config.embedding_dim, "query_tower")
        self.items = items
        self.pooling = HistoryPooling(spec, config.history_half_life_days)
        features = (*spec.of(Role.QUERY), *spec.of(Role.CONTEXT))
        self.features = FeatureInputs(
            features, vocabularies, statistics, "query_features"
        )

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Embeds queries.

        Args:
            inputs: looked-up history `[batch, length]`, `timestamp` `[batch]`, and each
                query and context feature `[batch]`.

        Returns:
            Unit vectors `[batch, dim]`.
        """
        history = inputs[HISTORY_ITEM_ID]
        age_s = inputs[TIMESTAMP][:, tf.newaxis] - inputs[HISTORY_TIMESTAMP]
        pooled = self.pooling(
            self.items(history),
            history,
            inputs[HISTORY_EVENT_TYPE],
            tf.cast(age_s, tf.float32) / SECONDS_PER_DAY,
        )
        return self.project(self.features(inputs), pooled)


class CandidateTower(_Tower):
    """Embeds an item by its id and its content."""

    def __init__(
        self,
        spec: FeatureSpec,
        vocabularies: Vocabularies,
        statistics: Mapping[str, NumericStatistics],
        config: RetrievalConfig,
        items: tf.keras.layers.Embedding,
    ) -> None:
        super().__init__(
            config.candidate_layers, config.embedding_dim, "candidate_tower"
        )
        self.items = items
        self.features = FeatureInputs(
            spec.of(Role.CANDIDATE), vocabularies, statistics, "candidate_features"
        )

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Embeds items.

        Args:
            inputs: looked-up `item_id` `[batch]` and candidate features `[batch]`;
                `POPULARITY` `[batch, windows]` if the model has such windows.

        Returns:
            Unit vectors `[batch, dim]`.
        """
        parts = self.features(inputs)
        if POPULARITY in inputs:
            parts = [*parts, inputs[POPULARITY]]
        return self.project(parts, self.items(inputs[ITEM_ID]))
