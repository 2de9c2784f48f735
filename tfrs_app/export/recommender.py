"""The module that is served: raw inputs to lists of item ids, one signature a question.

Every input but `item_id` may be omitted. Sequences are `[batch, any length]`, padded
with the empty string on either side; what has a first dimension of 1 serves the whole
batch. `k` is a scalar or one number a row; behind a row's k, or where no further item
is allowed, the row is filled up with empty ids and score 0.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.contract.signatures import (
    EMBED_QUERY,
    EMBEDDING,
    EXCLUDE,
    ITEM_ID,
    RETRIEVE,
    SCORE,
    SIMILAR_ITEMS,
    K,
)
from tfrs_app.export.filters import ItemFilters
from tfrs_app.export.index import ExactIndex, Index, best_allowed, number_of_distinct
from tfrs_app.export.requests import (
    LISTING_INPUTS,
    Input,
    complete_query,
    keep_most_recent,
    query_inputs,
)
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.lookup import FeatureLookup
from tfrs_app.models.towers import QueryTower

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
        similarity_dim: int,
        history_length: int,
    ) -> None:
        super().__init__(name="recommender")
        self.spec = spec
        self.lookup = lookup
        self.query_tower = query_tower
        self.index = index
        self.filters = filters
        self.listed = tf.constant(listed)
        self.exact = ExactIndex(embeddings, listed)
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

    @property
    def main_signature(self) -> str:
        """Returns the signature that a request without a name is for."""
        return RETRIEVE

    @property
    def warmed_up(self) -> tuple[str, ...]:
        """Returns the signatures that warm-up requests ask."""
        return self.main_signature, EMBED_QUERY, SIMILAR_ITEMS

    def signatures(self) -> dict[str, Callable[..., Any]]:
        """Returns the function behind each signature, ready for `tf.saved_model`."""
        query = query_inputs(self.spec)
        item = {ITEM_ID: Input(tf.TensorSpec([None], tf.string, ITEM_ID))}
        listing = LISTING_INPUTS | self.filters.inputs
        return {
            RETRIEVE: named_signature(self.retrieve, query | listing),
            EMBED_QUERY: named_signature(self.embed_query, query),
            SIMILAR_ITEMS: named_signature(self.similar_items, item | listing),
        }

    def retrieve(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists the best items for a history, profile and moment."""
        query = self._query(inputs)
        excluded = self._rows(inputs[EXCLUDE], tf.shape(query)[0])
        return self._listed(query, excluded, inputs, self.index)

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
        excluded = self._rows(inputs[EXCLUDE], tf.shape(own)[0])
        excluded = tf.concat([excluded, own[:, tf.newaxis]], axis=1)
        listed = self._listed(query, excluded, inputs, self.directions)
        return {
            ITEM_ID: tf.where(known[:, tf.newaxis], listed[ITEM_ID], ""),
            SCORE: tf.where(known[:, tf.newaxis], listed[SCORE], 0.0),
        }

    def _query(self, inputs: Tensors) -> tf.Tensor:
        return self.query_tower(self._looked_up(inputs))

    def _looked_up(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Returns the query tower's inputs of a request."""
        names = query_inputs(self.spec)
        query = complete_query({name: inputs[name] for name in names}, self.spec)
        looked_up: dict[str, tf.Tensor] = self.lookup(
            keep_most_recent(query, self.history_length)
        )
        return looked_up

    def _rows(self, item_ids: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        """Returns the catalogue rows of ids, int32 `[batch, n]`; -1 if unknown."""
        rows = self.rows.lookup(item_ids)
        return tf.broadcast_to(rows, [batch, tf.shape(rows)[1]])

    def _on_sale(self, row: tf.Tensor) -> tf.Tensor:
        """Returns rows `[batch, n]` with NOTHING in place of those that are gone."""
        return tf.where(tf.gather(self.listed, tf.maximum(row, 0)), row, NOTHING)

    def _listed(
        self, query: tf.Tensor, excluded: tf.Tensor, inputs: Tensors, index: Index
    ) -> dict[str, tf.Tensor]:
        """Returns the best allowed items of each query, `[batch, max k]`.

        Args:
            query: `[batch, width]`.
            excluded: catalogue rows `[batch, n]`; -1 excludes nothing.
            inputs: `k`, int32, scalar or `[batch]`, and the filters'.
            index: that is asked.
        """
        width, within = self._places(inputs, tf.shape(query)[0])
        rows, scores = self._search(query, excluded, width, inputs, index)
        real = within & (scores > -math.inf)
        return {
            ITEM_ID: tf.where(real, tf.gather(self.item_ids, rows), ""),
            SCORE: tf.where(real, scores, 0.0),
        }

    def _places(self, inputs: Tensors, batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the longest list's length, and which places each row wants.

        An int32 scalar and bool `[batch, width]`.
        """
        k = tf.broadcast_to(tf.maximum(inputs[K], 0), [batch])
        items = tf.shape(self.exact.embeddings)[0]
        width = tf.minimum(tf.reduce_max(tf.concat([k, [0]], axis=0)), items)
        return width, tf.range(width)[tf.newaxis, :] < k[:, tf.newaxis]

    def _search(
        self,
        query: tf.Tensor,
        excluded: tf.Tensor,
        width: tf.Tensor,
        inputs: Tensors,
        index: Index,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Asks the index, and the exact one if there are filters or a list is short."""
        items = tf.shape(self.exact.embeddings)[0]
        # ScaNN refuses to look for nothing, so an empty list looks for one item.
        count = tf.minimum(tf.maximum(width + tf.shape(excluded)[1], 1), items)
        exact = index if isinstance(index, ExactIndex) else self.exact

        def filtered() -> tuple[tf.Tensor, tf.Tensor]:
            forbidden = self.filters.forbidden(inputs, tf.shape(query)[0])
            return best_allowed(*exact.search(query, count, forbidden), excluded, width)

        def exactly() -> tuple[tf.Tensor, tf.Tensor]:
            return best_allowed(*exact.search(query, count), excluded, width)

        def approximately() -> tuple[tf.Tensor, tf.Tensor]:
            return best_allowed(*index.search(query, count), excluded, width)

        def unfiltered() -> tuple[tf.Tensor, tf.Tensor]:
            if index is exact:
                return exactly()
            # ScaNN refuses zero rows.
            rows, scores = tf.cond(tf.shape(query)[0] > 0, approximately, exactly)
            found = tf.reduce_sum(tf.cast(scores > -math.inf, tf.int32), axis=1)
            on_sale = tf.reduce_sum(tf.cast(self.listed, tf.int32))
            eligible = on_sale - number_of_distinct(self._on_sale(excluded))  # [batch]
            short = tf.reduce_any(found < tf.minimum(width, eligible))
            found_items: tuple[tf.Tensor, tf.Tensor] = tf.cond(
                short, exactly, lambda: (rows, scores)
            )
            return found_items

        answer: tuple[tf.Tensor, tf.Tensor] = tf.cond(
            self.filters.are_set(inputs), filtered, unfiltered
        )
        return answer


def named_signature(
    answer: Callable[[Tensors], dict[str, tf.Tensor]], inputs: Mapping[str, Input]
) -> Callable[..., Any]:
    """Gives a function over a dict the named, defaulted parameters of a signature.

    TensorFlow writes the defaults of Python parameters into `SignatureDef.defaults`,
    which TF Serving fills in for inputs that a client omits.
    """
    signature = inspect.Signature(
        [
            inspect.Parameter(
                name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value.default
            )
            for name, value in inputs.items()
        ]
    )

    def call(*args: tf.Tensor, **kwargs: tf.Tensor) -> dict[str, tf.Tensor]:
        return answer(signature.bind(*args, **kwargs).arguments)

    call.__signature__ = signature  # type: ignore[attr-defined]
    specs = [value.spec for value in inputs.values()]
    # All control flow is TensorFlow's own, so there is no Python to translate.
    function: Callable[..., Any] = tf.function(
        call, input_signature=specs, autograph=False
    )
    return function
