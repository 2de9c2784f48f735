"""Which items a request allows, and the best of them: never short while some are."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.export.filters import ItemFilters
from tfrs_app.export.index import ExactIndex, Index, best_allowed, number_of_distinct
from tfrs_app.export.stages import shared
from tfrs_app.layers.grouping import NOTHING, marked


class AllowedItems(tf.Module):
    """Keeps to a request's exclusions and filters, and to what is on sale at all.

    Args:
        filters: over the catalogue.
        listed: bool `[items]`, False for items that are gone.
        exact: index over the same items.
    """

    def __init__(
        self, filters: ItemFilters, listed: np.ndarray, exact: ExactIndex
    ) -> None:
        super().__init__(name="allowed_items")
        self.filters, self.exact = filters, exact
        self.items, self.on_sale = len(listed), int(listed.sum())
        self.listed = tf.constant(listed)
        self._shared_forbidden = shared(filters.forbidden)
        self._shared_barred = shared(self._barred)

    def barred(
        self, excluded: tf.Tensor, inputs: Mapping[str, tf.Tensor], batch: tf.Tensor
    ) -> tf.Tensor:
        """Returns what a request does not allow, bool `[batch, items]`.

        Args:
            excluded: catalogue rows `[batch, n]`; NOTHING excludes nothing.
            inputs: the filters'.
            batch: number of queries.
        """
        barred: tf.Tensor = self._shared_barred(excluded, self.asked(inputs), batch)
        return barred

    def asked(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the filters' inputs of a request."""
        return {name: inputs[name] for name in self.filters.inputs}

    def _barred(
        self, excluded: tf.Tensor, inputs: Mapping[str, tf.Tensor], batch: tf.Tensor
    ) -> tf.Tensor:
        barred = marked(excluded, batch, self.items) | ~self.listed
        return barred | tf.cond(
            self.filters.are_set(inputs),
            lambda: self._shared_forbidden(inputs, batch),
            lambda: tf.zeros([batch, self.items], tf.bool),
        )

    def search(
        self,
        query: tf.Tensor,
        excluded: tf.Tensor,
        width: tf.Tensor,
        inputs: Mapping[str, tf.Tensor],
        index: Index,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Asks an index, and the exact one if there are filters or a list is short.

        Args:
            query: `[batch, dim]`.
            excluded: catalogue rows `[batch, n]`; NOTHING excludes nothing.
            width: int32 scalar, items wanted.
            inputs: the filters'.
            index: over the same items.

        Returns:
            Catalogue rows and scores `[batch, width]`, best first; -inf for no item.
        """
        # ScaNN refuses to look for nothing, so an empty list looks for one item.
        count = tf.maximum(width + tf.shape(excluded)[1], 1)
        count = tf.minimum(count, self.items)
        exact = index if isinstance(index, ExactIndex) else self.exact

        def filtered() -> tuple[tf.Tensor, tf.Tensor]:
            batch = tf.shape(query)[0]
            forbidden = self._shared_forbidden(self.asked(inputs), batch)
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
            short = tf.reduce_any(found < tf.minimum(width, self._eligible(excluded)))
            found_items: tuple[tf.Tensor, tf.Tensor] = tf.cond(
                short, exactly, lambda: (rows, scores)
            )
            return found_items

        answer: tuple[tf.Tensor, tf.Tensor] = tf.cond(
            self.filters.are_set(inputs), filtered, unfiltered
        )
        return answer

    def _eligible(self, excluded: tf.Tensor) -> tf.Tensor:
        """Returns how many items may be listed, int32 `[batch]`."""
        listed = tf.gather(self.listed, tf.maximum(excluded, 0))
        return self.on_sale - number_of_distinct(tf.where(listed, excluded, NOTHING))
