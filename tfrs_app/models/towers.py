"""The query and the candidate tower: dicts of looked-up inputs to vectors.

Both end in blocks: what query and item are compared by (`embedding_dim`), linear
factors (`factors.dim`, if configured), and what the query makes of the item's present
trend (`trend_dim`, if the config has windows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    FeatureSpec,
)
from tfrs_app.contract.retrieval_config import SEQUENCE_ENCODERS, RetrievalConfig
from tfrs_app.layers.factors import FactorTables
from tfrs_app.layers.history import Histories, HistorySummary, MeanHistory
from tfrs_app.layers.inputs import SECONDS_PER_DAY, FeatureInputs, Renew
from tfrs_app.layers.items import ItemContent, ItemIds
from tfrs_app.layers.lookup import PADDING
from tfrs_app.layers.neighbours import Kin
from tfrs_app.models.query_histories import (
    histories_of,
    history_encoder_of,
    start_of_linear,
    windows_of,
)


class _Tower(tf.keras.layers.Layer):
    """Runs the dense layers that end every tower."""

    def __init__(
        self, hidden: Sequence[int], config: RetrievalConfig, name: str
    ) -> None:
        super().__init__(name=name)
        self.hidden = [tf.keras.layers.Dense(width, "relu") for width in hidden]
        self.output_layer = tf.keras.layers.Dense(config.embedding_dim)
        self.normalized = config.similarity == "cosine"

    def perceptron(self, parts: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the last hidden `[batch, width]` and the output `[batch, dim]`."""
        vector = tf.concat([*parts], axis=-1)
        for layer in self.hidden:
            vector = layer(vector)
        return vector, self.output_layer(vector)

    def scaled(self, vector: tf.Tensor) -> tf.Tensor:
        """Returns the vectors, at length 1 if the similarity is the cosine."""
        return tf.math.l2_normalize(vector, axis=-1) if self.normalized else vector


class Embedded(NamedTuple):
    """Holds queries with what they were made of."""

    query: tf.Tensor
    """`[queries, dim + factors.dim + trend_dim]`."""
    recent: Histories
    """The events that the encoder saw."""
    hidden: tf.Tensor
    """`[queries, width]`, the last hidden layer."""
    scale: tf.Tensor
    """`[queries, 1]`, what the learned block was multiplied by."""
    past: Histories | None
    """All events with their linear factors, if there are any."""


class QueryTower(_Tower):
    """Embeds a user by history, profile and context; knows no user id."""

    def __init__(
        self,
        spec: FeatureSpec,
        config: RetrievalConfig,
        ids: ItemIds,
        content: ItemContent,
        features: FeatureInputs,
        factors: FactorTables | None,
    ) -> None:
        super().__init__(config.query_layers, config, "query_tower")
        self.factors = factors
        if config.factors is not None:
            self.long_run = MeanHistory(spec, [config.factors.half_life_days])
            # How much the factors count is learned, and may differ by user.
            self.trust = tf.keras.layers.Dense(
                1, "softplus", bias_initializer=tf.keras.initializers.Constant(1.0)
            )
        self.ids, self.content, self.features = ids, content, features
        self.reads_content = config.history_content
        self.history = history_encoder_of(spec, config)
        self.summary = HistorySummary()
        self.linear = tf.keras.layers.Dense(
            config.embedding_dim,
            use_bias=False,
            kernel_initializer=start_of_linear(config),
        )
        self.trend = (
            tf.keras.layers.Dense(config.trend_dim) if config.trend_days else None
        )
        if config.learn_temperature:
            self.log_temperature = tf.Variable(0.0, name="log_temperature")
        self.config = config

    @property
    def blocks(self) -> tuple[int, int, int]:
        """Returns the widths of what is learned, of the factors and of the trends."""
        factors, trends = self.config.factors, self.config.trend_days
        return (
            self.config.embedding_dim,
            factors.dim if factors else 0,
            self.config.trend_dim if trends else 0,
        )

    def histories(self, inputs: Mapping[str, tf.Tensor]) -> Histories:
        """Returns all events of each query, without vectors."""
        index = tf.cast(inputs[HISTORY_ITEM_ID], tf.int32)
        return histories_of({**inputs, HISTORY_ITEM_ID: index}, index)

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Embeds queries.

        Args:
            inputs: looked-up histories `[windows, length]`; `timestamp` `[queries]` and
                each query and context feature `[queries]`; where several queries share
                a window, `WINDOW` and `WINDOW_END` `[queries]`.

        Returns:
            `[queries, dim + factors.dim + trend_dim]`.
        """
        return self.embedded(inputs).query

    def embedded(self, inputs: Mapping[str, tf.Tensor]) -> Embedded:
        """Embeds queries as a call does, and keeps what their reasons are found by."""
        recent = self._recent(inputs)
        learned, hidden = self._learned(inputs, recent)
        scale = tf.ones_like(learned[:, :1])
        if self.normalized:
            length = tf.norm(learned, axis=-1, keepdims=True)
            scale = tf.math.divide_no_nan(1.0, length * self._temperature())
        blocks, past = [scale * learned], None
        if self.factors is not None:
            past = self._factor_histories(inputs)
            blocks.append(self.trust(hidden) * self.long_run(past))
        if self.trend is not None:
            blocks.append(self.trend(hidden))
        return Embedded(tf.concat(blocks, axis=-1), recent, hidden, scale, past)

    def contributions(self, embedded: Embedded, items: tf.Tensor) -> tf.Tensor:
        """Returns what each event adds to the scores of items, `[queries, n, length]`.

        Exact for what is linear in the events: the projection of their means, and the
        factors. What the dense layers make of a history belongs to no single event, and
        encoders that read it in order have the factors' part only.

        Args:
            embedded: queries with a window each.
            items: embeddings, `[queries, n, width]`.
        """
        learned, factors, _ = tf.split(items, self.blocks, axis=-1)
        recent, past = embedded.recent, embedded.past
        newest = tf.zeros([*tf.unstack(tf.shape(items)[:2]), 0])
        if self.config.history_encoder not in SEQUENCE_ENCODERS:
            shares = self.history.shares(recent)  # [queries, means, newest]
            means, width = shares.shape[1], recent.vectors.shape[2]
            kernel = tf.reshape(self.linear.kernel, [means, width, -1])
            toward = tf.einsum("bnd,mwd->bnmw", learned, kernel)
            told = tf.einsum("blw,bnmw->bnml", recent.vectors, toward)
            newest = tf.reduce_sum(told * shares[:, tf.newaxis], axis=2)
            newest *= embedded.scale[:, tf.newaxis]
        length = tf.shape((past or recent).index)[1]
        missing = length - tf.shape(newest)[2]
        added = tf.pad(newest, [[0, 0], [0, 0], [missing, 0]])
        if past is not None:
            shares = self.long_run.shares(past)  # [queries, 1, length]
            told = tf.matmul(factors, past.vectors, transpose_b=True)
            added += self.trust(embedded.hidden)[:, tf.newaxis] * shares * told
        return added

    def _learned(
        self, inputs: Mapping[str, tf.Tensor], recent: Histories
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the learned block before scaling, and the last hidden layer."""
        history = self._encoded(inputs, recent)
        parts = [history, self.summary(recent), *self.features(inputs)]
        hidden, output = self.perceptron(parts)
        return self.linear(history) + output, hidden

    def _temperature(self) -> tf.Tensor:
        fixed = tf.constant(self.config.temperature)
        learned = self.config.learn_temperature
        return fixed * tf.exp(self.log_temperature) if learned else fixed

    def _recent(self, inputs: Mapping[str, tf.Tensor]) -> Histories:
        """Returns the newest events with what each was about."""
        newest = _newest(inputs, self.config.history_length)
        index = newest[HISTORY_ITEM_ID]
        vectors = self.ids(index)
        if self.reads_content:
            vectors = tf.concat([vectors, *self.content(index)], axis=-1)
        return histories_of({**inputs, **newest}, vectors)

    def _encoded(self, inputs: Mapping[str, tf.Tensor], recent: Histories) -> tf.Tensor:
        """Returns the newest events as one vector, `[queries, width]`."""
        if self.config.history_encoder not in SEQUENCE_ENCODERS:
            return self.history(recent)
        newest = _newest(inputs, self.config.history_length)
        seconds = newest[HISTORY_TIMESTAMP]
        first = seconds - tf.reduce_min(seconds, axis=1, keepdims=True)
        days = tf.cast(first, tf.float32) / SECONDS_PER_DAY
        index, kind = newest[HISTORY_ITEM_ID], newest[HISTORY_EVENT_TYPE]
        window, end = windows_of({**inputs, **newest})
        return self.history(recent.vectors, index, kind, days, window, end)

    def _factor_histories(self, inputs: Mapping[str, tf.Tensor]) -> Histories:
        """Returns the events that the factors see, with those of each."""
        assert self.factors is not None
        seen = _newest(inputs, self.config.longest_history)
        histories = self.histories({**inputs, **seen})
        # As in what the factors were fitted to, having an item often counts once.
        once = tf.where(histories.latest, histories.index, PADDING)
        vectors = tf.gather(self.factors.history, once)
        return histories._replace(vectors=vectors, index=once)


def _newest(inputs: Mapping[str, tf.Tensor], events: int) -> dict[str, tf.Tensor]:
    """Returns the last events of each window, `[windows, events]` a column."""
    return {
        name: inputs[name][:, -events:]
        for name in (HISTORY_ITEM_ID, HISTORY_EVENT_TYPE, HISTORY_TIMESTAMP)
    }


class CandidateTower(_Tower):
    """Embeds an item by its id, its content and its trend."""

    def __init__(
        self,
        config: RetrievalConfig,
        ids: ItemIds,
        content: ItemContent,
        factors: FactorTables | None,
    ) -> None:
        super().__init__(config.candidate_layers, config, "candidate_tower")
        self.factors = factors
        self.ids, self.content = ids, content
        self.trend_layers = [
            tf.keras.layers.Dense(2 * config.trend_dim, "relu"),
            tf.keras.layers.Dense(config.trend_dim),
        ]
        self.dim = config.embedding_dim

    def call(
        self,
        index: tf.Tensor,
        trends: tf.Tensor | None = None,
        hide_id: tf.Tensor | None = None,
        kin: Kin | None = None,
        renew: Renew | None = None,
        content: Sequence[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Embeds items.

        Args:
            index: int `[items]`.
            trends: of `ItemTrends`, `[items, width]`, if the config has windows.
            hide_id: bool `[items]`, True where the content alone must do.
            kin: the items worded alike, by item index, or None.
            renew: what the vectors of texts go through, or None.
            content: what the items are like, where it is not stored by their index.

        Returns:
            `[items, dim + factors.dim + trend_dim]`.
        """
        ids = self.ids(index)
        if hide_id is not None:
            ids = tf.where(hide_id[:, tf.newaxis], 0.0, ids)
        parts = [ids, *(self.content(index, renew) if content is None else content)]
        if kin is not None:
            parts.append(kin.mean(self.ids(kin.rows)))
        _, output = self.perceptron(parts)
        blocks = [self.scaled(ids + output)]
        if self.factors is not None:
            blocks.append(tf.gather(self.factors.candidate, index))
        if trends is not None:
            for layer in self.trend_layers:
                trends = layer(trends)
            blocks.append(trends)
        return tf.concat(blocks, axis=-1)
