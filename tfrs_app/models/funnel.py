"""From a query to described candidates: what the ranker sees, served or in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import Kind, Role
from tfrs_app.contract.ranking_config import SOURCES, RankingConfig
from tfrs_app.data.windows import TIMESTAMP
from tfrs_app.layers.cross_features import CrossFeatures
from tfrs_app.layers.grouping import NOTHING, marked
from tfrs_app.layers.history import Histories, type_weights
from tfrs_app.models.candidate_sources import (
    Allow,
    Candidates,
    CandidateSources,
    Search,
    allowed_by,
)
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.item_state import ItemState
from tfrs_app.models.ranking import (
    ATTENDED_AGE,
    ATTENDED_ROW,
    ATTENDED_TYPE,
    FEATURES,
    ROW,
    VECTORS,
)
from tfrs_app.models.towers import Embedded, QueryTower


class Proposed(NamedTuple):
    """Pairs candidates with the queries that they are for."""

    candidates: Candidates
    embedded: Embedded
    histories: Histories


class Described(NamedTuple):
    """Pairs candidates with what the ranker is told of them."""

    candidates: Candidates
    features: tf.Tensor
    """float32 `[batch, n, columns]`."""
    embedded: Embedded
    histories: Histories


class Funnel(tf.Module):
    """Lets the sources propose and describes what they propose.

    Args:
        encoded: dataset with look-ups.
        query_tower: embeds queries.
        state: of the items, as of some moment.
        config: of the ranker.
    """

    def __init__(
        self,
        encoded: EncodedDataset,
        query_tower: QueryTower,
        state: ItemState,
        config: RankingConfig,
    ) -> None:
        super().__init__(name="funnel")
        spec = encoded.dataset.spec
        self.query_tower, self.state, self.config = query_tower, state, config
        self._trusts_towers = tf.Variable(
            float(config.trust_towers), trainable=False, name="trusts_towers"
        )
        weights = type_weights(spec)
        self.sources = CandidateSources(state, config.sources, weights)
        self.cross = None
        if config.cross_features:
            self.cross = CrossFeatures(
                weights,
                config.half_lives_days,
                _columns(encoded, Kind.CATEGORICAL),
                _columns(encoded, Kind.NUMERIC, Kind.BUCKETIZED),
            )

    def trust_towers(self, honest: bool) -> None:
        """Says whether the towers know nothing of what follows; at first they don't."""
        self._trusts_towers.assign(float(honest and self.config.trust_towers))

    def unfiltered(
        self, inputs: Mapping[str, tf.Tensor], excluded: tf.Tensor
    ) -> Described:
        """Returns the candidates that a request without filters has, exactly searched.

        Args:
            inputs: of the query tower.
            excluded: int32 `[batch or 1, n]`, catalogue rows; NOTHING excludes nothing.
        """
        embedded = self.query_tower.embedded(inputs)
        return self.described(self._unfiltered(inputs, embedded, excluded))

    def _unfiltered(
        self, inputs: Mapping[str, tf.Tensor], embedded: Embedded, excluded: tf.Tensor
    ) -> Proposed:
        batch, items = tf.shape(inputs[TIMESTAMP])[0], self.state.items
        barred = marked(excluded, batch, items)

        def search(query: tf.Tensor, count: int) -> tf.Tensor:
            scores = tf.matmul(query, self.state.embeddings, transpose_b=True)
            scores = tf.where(barred, -math.inf, scores)
            best = tf.math.top_k(scores, tf.minimum(count, items))
            return tf.where(best.values > -math.inf, best.indices, NOTHING)

        return self.proposed(inputs, embedded, search, allowed_by(barred))

    def proposed(
        self,
        inputs: Mapping[str, tf.Tensor],
        embedded: Embedded,
        search: Search,
        allow: Allow,
    ) -> Proposed:
        """Returns the candidates of looked-up queries.

        Args:
            inputs: of the query tower.
            embedded: what it makes of them.
            search: finds the nearest allowed items.
            allow: tells which of other sources' items are allowed.
        """
        histories = self.query_tower.histories(inputs).trimmed()
        found = self.sources(embedded.query, histories, search, allow)
        return Proposed(found, embedded, histories)

    def given(
        self, inputs: Mapping[str, tf.Tensor], embedded: Embedded, row: tf.Tensor
    ) -> Proposed:
        """Takes items as if they were the candidates of a request.

        Args:
            inputs: of the query tower.
            embedded: what it makes of them.
            row: int32 `[batch, n]`, catalogue rows; NOTHING for no item.
        """
        asked = self._unfiltered(inputs, embedded, tf.zeros([1, 0], tf.int32))
        partner, strength = self.sources.partners(asked.histories)
        together = tf.linalg.matvec(_same(row, partner), strength)
        found = asked.candidates
        proposed = tf.matmul(_same(row, found.row), found.proposed)
        return asked._replace(candidates=Candidates(row, proposed, together))

    def reasons(self, described: Described, row: tf.Tensor) -> tf.Tensor:
        """Returns the item of the history that speaks most for each candidate.

        Args:
            described: candidates of queries.
            row: int32 `[batch, n]`, some of them; NOTHING for no item.

        Returns:
            Catalogue rows, int32 `[batch, n]`; NOTHING where no event speaks for it.
        """
        items = tf.gather(self.state.embeddings, tf.maximum(row, 0))
        added = self.query_tower.contributions(described.embedded, items)
        had = tf.gather(self.state.row, described.histories.index)
        shown = tf.minimum(tf.shape(had)[1], tf.shape(added)[2])
        had, added = had[:, -shown:], added[..., -shown:]
        # A history that is empty has an event that adds nothing.
        added = tf.pad(added, [[0, 0], [0, 0], [0, 1]])
        had = tf.pad(had, [[0, 0], [0, 1]], constant_values=NOTHING)
        most = tf.argmax(added, axis=-1, output_type=tf.int32)
        speaks = tf.reduce_max(added, axis=-1) > 0
        reason = tf.gather(had, most, batch_dims=1)
        return tf.where(speaks & (row != NOTHING), reason, NOTHING)

    @property
    def vectors(self) -> tf.Tensor:
        """Returns what the towers learned of each item, `[items, width]`.

        Neither factors, which turn when they are fitted anew, nor trends.
        """
        return self.state.embeddings[:, : self.state.blocks[0]]

    def attended(self, histories: Histories) -> dict[str, tf.Tensor]:
        """Returns the events that target attention weighs, `[batch, length]` each."""
        if self.config.target_attention is None:
            return {}
        newest = self.config.target_attention.history
        return {
            ATTENDED_ROW: tf.gather(self.state.row, histories.index[:, -newest:]),
            ATTENDED_TYPE: histories.event_type[:, -newest:],
            ATTENDED_AGE: histories.age_days[:, -newest:],
        }

    def told(self, described: Described) -> dict[str, tf.Tensor]:
        """Returns the ranker's inputs beside profile and context."""
        inputs = {ROW: described.candidates.row, FEATURES: described.features}
        if self.config.target_attention is not None:
            inputs[VECTORS] = self.vectors
        return inputs | self.attended(described.histories)

    def described(
        self, proposed: Proposed, place: tf.Tensor | None = None
    ) -> Described:
        """Describes candidates to the ranker.

        Args:
            proposed: candidates of queries.
            place: int32 `[batch, n]`, where in a list that was shown they stood;
                NOTHING, or None for all: they were not, as when a request is served.
        """
        found, embedded, histories = proposed
        row = tf.maximum(found.row, 0)
        features = []
        if self.cross is not None:
            features.append(self.cross(histories, tf.gather(self.state.index, row)))
        trusted, towers = self._trusts_towers, SOURCES.index("two_tower")
        scores = tf.maximum([0.0, 1.0, 0.0], trusted)  # the factors' is always told
        sources = tf.maximum(1.0 - tf.one_hot(towers, len(SOURCES)), trusted)
        features += [
            tf.gather(self.state.columns, row),
            tf.fill([*tf.unstack(tf.shape(row)), 1], trusted),
            self._scores(embedded.query, row) * scores,
            found.proposed * sources,
            tf.math.log1p(found.together)[..., tf.newaxis],
        ]
        if self.config.impressions is not None:
            features.append(_shown(row, place))
        return Described(found, tf.concat(features, axis=-1), embedded, histories)

    def _scores(self, query: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
        """Returns what each block adds to the towers' score, `[batch, n, blocks]`."""
        items = tf.gather(self.state.embeddings, row)
        products = items * query[:, tf.newaxis, :]
        parts = tf.split(products, self.state.blocks, axis=-1)
        return tf.stack([tf.reduce_sum(part, axis=-1) for part in parts], axis=-1)


def _columns(encoded: EncodedDataset, *kinds: Kind) -> dict[str, np.ndarray]:
    """Returns the items' features of some kinds, by item index."""
    features = encoded.dataset.spec.of(Role.CANDIDATE, *kinds)
    return {f.name: encoded.content_by_index[f.name] for f in features}


def _shown(row: tf.Tensor, place: tf.Tensor | None) -> tf.Tensor:
    """Returns whether candidates were shown, and how far down, `[batch, n, 2]`."""
    if place is None:
        place = tf.fill(tf.shape(row), NOTHING)
    shown = tf.cast(place != NOTHING, tf.float32)
    down = tf.math.log1p(tf.cast(tf.maximum(place, 0), tf.float32))
    return tf.stack([shown, down], axis=-1)


def _same(row: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Returns 1.0 where two rows are the same item, `[batch, n, m]`."""
    same = row[:, :, tf.newaxis] == other[:, tf.newaxis, :]
    return tf.cast(same & (row != NOTHING)[:, :, tf.newaxis], tf.float32)
