"""Which items a request allows: exact filters over the catalogue's own columns.

Every candidate feature but texts can be filtered by. A category has the inputs
`allow_NAME` and `block_NAME`, strings `[batch, any length]`: an item must have one of
the allowed values, if any is named, and none of the blocked ones. A number has
`min_NAME` and `max_NAME`, float `[batch]`: an item must lie between them, both
included; NaN is no bound. What an item lacks it does not have: it is in no allowed
category and within no bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import Feature, FeatureSpec, Kind, Role
from tfrs_app.export.requests import Input

UNKNOWN, MISSING = 0, 1
"""Codes of a value that no item has, and of the empty one, which is padding too."""


class _Filter(tf.Module):
    """Filters by one feature, through two inputs.

    Args:
        feature: whose values stand in the catalogue.
        unset: what both inputs hold where a client leaves them out, batch 1.
    """

    def __init__(self, feature: Feature, unset: tf.Tensor) -> None:
        super().__init__(name=f"filter_{feature.name}")
        self.names = feature.filters
        self.unset = unset

    @property
    def inputs(self) -> dict[str, Input]:
        shape = [None] * len(self.unset.shape)
        return {
            name: Input(tf.TensorSpec(shape, self.unset.dtype, name), self.unset)
            for name in self.names
        }


class _Category(_Filter):
    """Filters by one categorical feature.

    Args:
        feature: whose values stand in the catalogue.
        values: bytes `[items]`; empty where an item has none.
    """

    def __init__(self, feature: Feature, values: np.ndarray) -> None:
        super().__init__(feature, tf.zeros([1, 0], tf.string))
        self.allow, self.block = self.names
        known = sorted(set(values.tolist()) - {b""})
        codes = {b"": MISSING} | {v: code for code, v in enumerate(known, MISSING + 1)}
        self.width = MISSING + 1 + len(known)
        self.item_codes = tf.constant([codes[value] for value in values], tf.int32)
        self.codes = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(codes)), tf.constant(list(codes.values()), tf.int32)
            ),
            default_value=UNKNOWN,
        )

    def is_set(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        return tf.reduce_any([tf.reduce_any(inputs[n] != "") for n in self.names])

    def forbids(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns bool `[batch or 1, items]`."""
        allowed = self._named(inputs[self.allow])
        blocked = self._named(inputs[self.block])
        restricts = tf.reduce_any(inputs[self.allow] != "", axis=1, keepdims=True)
        forbidden = blocked | (restricts & ~allowed)  # by code
        return tf.gather(forbidden, self.item_codes, axis=1)

    def _named(self, values: tf.Tensor) -> tf.Tensor:
        """Returns which codes a request names, bool `[batch, codes]`."""
        codes = self.codes.lookup(values)
        times = tf.math.bincount(
            codes, minlength=self.width, maxlength=self.width, axis=-1
        )
        real = tf.range(self.width) != MISSING
        return (times > 0) & real[tf.newaxis, :]


class _Number(_Filter):
    """Filters by one numeric feature.

    Args:
        feature: whose values stand in the catalogue.
        values: float `[items]`; NaN where an item has none.
    """

    def __init__(self, feature: Feature, values: np.ndarray) -> None:
        super().__init__(feature, tf.constant([math.nan]))
        self.values = tf.constant(values, tf.float32)

    def is_set(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        bounds = [inputs[name] for name in self.names]
        return tf.reduce_any([tf.reduce_any(~tf.math.is_nan(b)) for b in bounds])

    def forbids(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns bool `[batch or 1, items]`."""
        low, high = (inputs[name][:, tf.newaxis] for name in self.names)
        value = self.values[tf.newaxis, :]
        within_low = tf.math.is_nan(low) | (value >= low)
        within_high = tf.math.is_nan(high) | (value <= high)
        return ~(within_low & within_high)


class ItemFilters(tf.Module):
    """Holds the filters of a catalogue.

    Args:
        spec: names the candidate features.
        catalogue: raw values, `[items]` each.
    """

    def __init__(self, spec: FeatureSpec, catalogue: Mapping[str, np.ndarray]) -> None:
        super().__init__(name="item_filters")
        self.items = len(next(iter(catalogue.values())))
        self.filters: list[_Category | _Number] = [
            (_Category if feature.kind is Kind.CATEGORICAL else _Number)(
                feature, catalogue[feature.name]
            )
            for feature in spec.of(Role.CANDIDATE)
            if feature.filters
        ]

    @property
    def inputs(self) -> dict[str, Input]:
        """Returns the inputs of all filters; each may be left out."""
        return {name: x for one in self.filters for name, x in one.inputs.items()}

    def are_set(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Tells whether any row of a request filters at all, bool scalar."""
        found = [one.is_set(inputs) for one in self.filters]
        return tf.reduce_any(tf.stack([tf.constant(False), *found]))

    def forbidden(self, inputs: Mapping[str, tf.Tensor], batch: tf.Tensor) -> tf.Tensor:
        """Returns what must not be listed, bool `[batch, items]`."""
        answer = tf.zeros([batch, self.items], tf.bool)
        for one in self.filters:
            answer |= one.forbids(inputs)
        return answer
