"""The module that is served: raw inputs to lists of item ids, one signature a question.

Every input but `item_id` may be omitted. Sequences are `[batch, any length]`, padded
with the empty string on either side; what has a first dimension of 1 serves the whole
batch. `k` is a scalar or one number a row; behind a row's k, or where no further item
is allowed, the row is filled up with empty ids and score 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.contract.signatures import (
    EMBED_ITEMS,
    EMBED_QUERY,
    EMBEDDING,
    EXCLUDE,
    ITEM_ID,
    RETRIEVE,
    SCORE,
    SEARCH,
    SIMILAR_ITEMS,
    K,
)
from tfrs_app.export.allowed_items import AllowedItems
from tfrs_app.export.filters import ItemFilters
from tfrs_app.export.index import ExactIndex, Index
from tfrs_app.export.item_embedder import ItemEmbedder
from tfrs_app.export.item_texts import ItemTexts
from tfrs_app.export.requests import (
    LISTING_INPUTS,
    SEARCH_INPUTS,
    Input,
    complete_query,
    keep_most_recent,
    named_signature,
    query_inputs,
)
from tfrs_app.export.searching import searched
from tfrs_app.export.stages import shared
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.lookup import FeatureLookup
from tfrs_app.models.towers import Embedded, QueryTower

Tensors = Mapping[str, tf.Tensor]


class Recommender(tf.Module):
    """Answers requests with plain named tensors.

    Args:
        spec: the features.
        lookup: the same look-ups that training used.
        query_tower: the trained tower.
        index: over the catalogue's embeddings.
        item_ids: bytes `[items]`, the catalogue in the index's order.
        embeddings: float32 `[items, width]`.
        filters: over the catalogue in that order.
        listed: bool `[items]`, False for items that are gone, which only histories
            name.
        embedder: of items that the catalogue lacks; None: the encoder of the texts that
            the towers read is not at hand.
        texts: the catalogue's, to be searched, or None.
        similarity_dim: leading columns by which items are compared with each other;
            behind them stand trends, which say what is wanted, not what is alike.
        history_length: most recent events that the tower sees.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        lookup: FeatureLookup,
        query_tower: QueryTower,
        index: Index,
        item_ids: np.ndarray,
        embeddings: tf.Variable,
        filters: ItemFilters,
        listed: np.ndarray,
        embedder: ItemEmbedder | None,
        texts: ItemTexts | None,
        similarity_dim: int,
        history_length: int,
    ) -> None:
        super().__init__(name="recommender")
        self.spec = spec
        self.lookup = lookup
        self.query_tower = query_tower
        self.index = index
        self.filters, self.embedder, self.texts = filters, embedder, texts
        self.exact = ExactIndex(embeddings, listed)
        self.allowed = AllowedItems(filters, listed, self.exact)
        alike = tf.math.l2_normalize(embeddings[:, :similarity_dim], axis=1)
        self.directions = ExactIndex(tf.Variable(alike, trainable=False), listed)
        self.history_length = history_length
        self.item_ids = tf.constant(item_ids, tf.string)
        self.rows = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                self.item_ids, tf.range(len(item_ids), dtype=tf.int32)
            ),
            default_value=-1,
        )
        self._shared_look_up = shared(self._look_up)
        self._shared_embedded = shared(query_tower.embedded)
        self._shared_nearest = shared(self._nearest)

    @property
    def main_signature(self) -> str:
        """Returns the signature that a request without a name is for."""
        return RETRIEVE

    def signatures(self) -> dict[str, Callable[..., Any]]:
        """Returns the function behind each signature, ready for `tf.saved_model`."""
        query = query_inputs(self.spec)
        item = {ITEM_ID: Input(tf.TensorSpec([None], tf.string, ITEM_ID))}
        listing = LISTING_INPUTS | self.filters.inputs
        found = {
            RETRIEVE: named_signature(self.retrieve, query | listing),
            EMBED_QUERY: named_signature(self.embed_query, query),
            SIMILAR_ITEMS: named_signature(self.similar_items, item | listing),
        }
        if self.embedder is not None:
            described = item | self.embedder.inputs
            found[EMBED_ITEMS] = named_signature(self.embed_items, described)
        if self.texts is not None:
            asked = SEARCH_INPUTS | query | listing
            found[SEARCH] = named_signature(self.search, asked)
        return found

    def retrieve(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists the best items for a history, profile and moment."""
        query = self._query(inputs)
        excluded = self.rows_of(inputs[EXCLUDE], tf.shape(query)[0])
        return self._listed(query, excluded, inputs, self.nearest)

    def embed_query(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Embeds a history, profile and moment: `[batch, width]`."""
        return {EMBEDDING: self._query(inputs)}

    def similar_items(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists the items nearest to given items, which are never listed themselves.

        The score is the cosine. An unknown item has no neighbours: its row is empty.
        """
        own = self.rows.lookup(inputs[ITEM_ID])  # [batch]
        known = own >= 0
        query = tf.gather(self.directions.embeddings, tf.maximum(own, 0))
        excluded = self.rows_of(inputs[EXCLUDE], tf.shape(own)[0])
        excluded = tf.concat([excluded, own[:, tf.newaxis]], axis=1)
        listed = self._listed(query, excluded, inputs, self._alike)
        return {
            ITEM_ID: tf.where(known[:, tf.newaxis], listed[ITEM_ID], ""),
            SCORE: tf.where(known[:, tf.newaxis], listed[SCORE], 0.0),
        }

    def embed_items(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Embeds items, `[n, width]`, as `retrieve` compares queries with them.

        Those of the catalogue are embedded as the index has them, others by the
        features that the request gives.
        """
        assert self.embedder is not None
        row = self.rows.lookup(inputs[ITEM_ID])
        given = {
            name: tf.broadcast_to(inputs[name], tf.shape(row))
            for name in self.embedder.inputs
        }
        stored = tf.gather(self.exact.embeddings, tf.maximum(row, 0))
        known = (row != NOTHING)[:, tf.newaxis]
        return {EMBEDDING: tf.where(known, stored, self.embedder(given, tf.size(row)))}

    def search(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists the items that words stand for, those first that a shopper may like.

        The score is log of how likely the words mean the item, by the cosine of the
        texts (`relevance`), plus `personal` times log of how likely the shopper wants
        it. Nothing is listed for an empty text.
        """
        return searched(self, inputs)

    def liking(self, looked_up: Tensors, row: tf.Tensor) -> tf.Tensor:
        """Returns log of how likely queries want items `[batch, n]`, up to a constant.

        The towers are trained with a softmax, so their score is one.
        """
        query = self.embedded(looked_up).query
        items = tf.gather(self.exact.embeddings, tf.maximum(row, 0))
        return tf.linalg.matvec(items, query)

    def ids_of(self, row: tf.Tensor) -> tf.Tensor:
        """Returns the ids of catalogue rows; empty for no item."""
        ids = tf.gather(self.item_ids, tf.maximum(row, 0))
        return tf.where(row != NOTHING, ids, "")

    def _query(self, inputs: Tensors) -> tf.Tensor:
        return self.embedded(self.looked_up(inputs)).query

    def embedded(self, looked_up: Tensors) -> Embedded:
        """Returns what the query tower makes of its inputs."""
        embedded: Embedded = self._shared_embedded(dict(looked_up))
        return embedded

    def looked_up(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Returns the query tower's inputs of a request."""
        looked_up: dict[str, tf.Tensor] = self._shared_look_up(self._asked(inputs))
        return looked_up

    def _look_up(self, query: Tensors) -> dict[str, tf.Tensor]:
        looked_up: dict[str, tf.Tensor] = self.lookup(self._complete(query))
        return looked_up

    def raw_query(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Returns the query's part of a request, gaps filled, histories trimmed."""
        return self._complete(self._asked(inputs))

    def _asked(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        return {name: inputs[name] for name in query_inputs(self.spec)}

    def _complete(self, query: Tensors) -> dict[str, tf.Tensor]:
        filled = complete_query(query, self.spec)
        return keep_most_recent(filled, self.history_length)

    def rows_of(self, item_ids: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        """Returns the catalogue rows of ids, int32 `[batch, n]`; -1 if unknown."""
        rows = self.rows.lookup(item_ids)
        return tf.broadcast_to(rows, [batch, tf.shape(rows)[1]])

    def nearest(
        self, query: tf.Tensor, excluded: tf.Tensor, width: tf.Tensor, inputs: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns what `AllowedItems.search` finds in the index."""
        found: tuple[tf.Tensor, tf.Tensor] = self._shared_nearest(
            query, excluded, width, self.allowed.asked(inputs)
        )
        return found

    def _nearest(
        self, query: tf.Tensor, excluded: tf.Tensor, width: tf.Tensor, inputs: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return self.allowed.search(query, excluded, width, inputs, self.index)

    def _alike(
        self, query: tf.Tensor, excluded: tf.Tensor, width: tf.Tensor, inputs: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return self.allowed.search(query, excluded, width, inputs, self.directions)

    def _listed(
        self,
        query: tf.Tensor,
        excluded: tf.Tensor,
        inputs: Tensors,
        search: Callable[..., tuple[tf.Tensor, tf.Tensor]],
    ) -> dict[str, tf.Tensor]:
        """Returns the best allowed items of each query, `[batch, max k]`.

        Args:
            query: `[batch, width]`.
            excluded: catalogue rows `[batch, n]`; -1 excludes nothing.
            inputs: `k`, int32, scalar or `[batch]`, and the filters'.
            search: `nearest`, or the like.
        """
        width, within = self.places(inputs, tf.shape(query)[0])
        rows, scores = search(query, excluded, width, inputs)
        real = within & (scores > -math.inf)
        return {
            ITEM_ID: tf.where(real, tf.gather(self.item_ids, rows), ""),
            SCORE: tf.where(real, scores, 0.0),
        }

    def places(self, inputs: Tensors, batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the longest list's length, and which places each row wants.

        An int32 scalar and bool `[batch, width]`.
        """
        k = tf.broadcast_to(tf.maximum(inputs[K], 0), [batch])
        items = tf.shape(self.exact.embeddings)[0]
        width = tf.minimum(tf.reduce_max(tf.concat([k, [0]], axis=0)), items)
        return width, tf.range(width)[tf.newaxis, :] < k[:, tf.newaxis]
