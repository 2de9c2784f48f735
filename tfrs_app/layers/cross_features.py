"""What a history says of a candidate: user x item features, computed in the graph.

Because a layer computes them, training and serving cannot differ and nothing has to be
looked up in a feature store.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfrs_app.layers.grouping import NOTHING, sums_by_key, sums_by_label
from tfrs_app.layers.history import Histories
from tfrs_app.layers.lookup import FIRST_TOKEN

NEVER_DAYS = 1000.0
"""Stands for the days since what never was."""
BASKET_HALF_LIVES = (2.0, 8.0, 32.0)
"""Baskets ago at which having an item counts half."""


class CrossFeatures(tf.keras.layers.Layer):
    """Compares every candidate with every event of its query's history.

    Args:
        type_weights: how much an event counts, by index of its type.
        half_lives_days: one decayed count each; infinity: all events count alike.
        categories: feature -> int `[indices]`, each item's token by item index.
        numbers: feature -> float `[indices]`; NaN where an item has none.
    """

    def __init__(
        self,
        type_weights: Sequence[float],
        half_lives_days: Sequence[float],
        categories: Mapping[str, np.ndarray],
        numbers: Mapping[str, np.ndarray],
    ) -> None:
        super().__init__(name="cross_features", trainable=False)
        self.type_weights = list(type_weights)
        self.rates = [math.log(2) / days for days in half_lives_days]
        self.categories = {n: tf.constant(v, tf.int32) for n, v in categories.items()}
        self.labels = {n: int(np.max(v, initial=0)) + 1 for n, v in categories.items()}
        self.numbers = {n: tf.constant(v, tf.float32) for n, v in numbers.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Returns what the columns hold."""
        counts = [f"had_{i}" for i in range(len(self.rates))]
        baskets = [f"in_baskets_{i}" for i in range(len(BASKET_HALF_LIVES))]
        times = [
            "had", "days_since_last", "days_since_first", "usual_gap_days",
            "baskets_since_last", "basket_rate",
        ]  # fmt: skip
        shares = [
            f"share_{name}_{i}"
            for name in self.categories
            for i in range(len(self.rates))
        ]
        near = [f"off_{name}" for name in self.numbers]
        history = [f"events_{i}" for i in range(len(self.rates))]
        return (*counts, *baskets, *times, *shares, *near, *history, "distinct")

    def call(self, histories: Histories, candidate: tf.Tensor) -> tf.Tensor:
        """Returns float32 `[batch, n, columns]`.

        Args:
            histories: `[batch, length]`; `vectors` are not read.
            candidate: int `[batch, n]`, item indices.
        """
        age = tf.maximum(histories.age_days, 0.0)
        types = tf.gather(tf.constant(self.type_weights), histories.event_type)
        weight = types * histories.real
        decayed = weight[..., tf.newaxis] * tf.exp(-age[..., tf.newaxis] * self.rates)
        total = tf.reduce_sum(decayed, axis=1, keepdims=True)  # [batch, 1, rates]
        first, last = (
            tf.cast(flag, tf.float32) * histories.real for flag in histories.edges()
        )
        parts = [self._own(histories, candidate, decayed, first, last)]
        for name, codes in self.categories.items():
            had, asked = tf.gather(codes, histories.index), tf.gather(codes, candidate)
            same = sums_by_label(had, decayed, _known(asked), self.labels[name])
            parts.append(tf.math.divide_no_nan(same, total))
        for values in self.numbers.values():
            parts.append(_distance(values, histories, candidate, weight))
        events = tf.math.log1p(total)
        distinct = tf.math.divide_no_nan(
            tf.reduce_sum(last, axis=1), tf.reduce_sum(histories.real, axis=1)
        )
        query = tf.concat([events, distinct[:, tf.newaxis, tf.newaxis]], axis=-1)
        parts.append(tf.repeat(query, tf.shape(candidate)[1], axis=1))
        return tf.concat(parts, axis=-1)

    def _own(
        self,
        histories: Histories,
        candidate: tf.Tensor,
        decayed: tf.Tensor,
        first: tf.Tensor,
        last: tf.Tensor,
    ) -> tf.Tensor:
        """Returns how often and when each candidate itself was had."""
        age = tf.maximum(histories.age_days, 0.0)
        ago, opens = _baskets(histories)
        rates = [math.log(2) / baskets for baskets in BASKET_HALF_LIVES]
        in_baskets = histories.real[..., tf.newaxis] * tf.exp(
            -ago[..., tf.newaxis] * rates
        )
        all_baskets = tf.reduce_sum(in_baskets * opens[..., tf.newaxis], 1, True)
        told = [histories.real, last, last * age, first * age, last * ago, first * ago]
        summed = sums_by_key(
            histories.index,
            tf.concat([decayed, in_baskets, tf.stack(told, axis=-1)], axis=-1),
            _known(candidate),
        )
        counts, shares, told = tf.split(
            summed, [len(self.rates), len(rates), len(told)], axis=-1
        )
        times, had, since_last, since_first, baskets_last, baskets_first = tf.unstack(
            told, axis=-1
        )
        never = had == 0
        gap = tf.math.divide_no_nan(since_first - since_last, times - 1.0)
        days = [tf.where(never, NEVER_DAYS, d) for d in (since_last, since_first)]
        days.append(tf.where(times < 2, NEVER_DAYS, gap))
        days.append(tf.where(never, NEVER_DAYS, baskets_last))
        rate = tf.math.divide_no_nan(times, baskets_first + had)
        return tf.concat(
            [
                tf.math.log1p(counts),
                tf.math.divide_no_nan(shares, all_baskets),
                tf.stack([had, *map(tf.math.log1p, days), rate], axis=-1),
            ],
            axis=-1,
        )


def _baskets(histories: Histories) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns how many baskets followed each event's, and which events open one.

    What happened at one moment is one basket.

    Returns:
        Two float32 `[batch, length]`.
    """
    age = histories.age_days
    before = tf.pad(age[:, :-1], [[0, 0], [1, 0]], constant_values=-1.0)
    shown_before = tf.pad(histories.real[:, :-1], [[0, 0], [1, 0]])
    opens = histories.real * tf.cast((age != before) | (shown_before == 0), tf.float32)
    return tf.cumsum(opens, axis=1, exclusive=True, reverse=True), opens


def _known(token: tf.Tensor) -> tf.Tensor:
    """Returns tokens, NOTHING for those that stand for no label or an unknown one."""
    return tf.where(token >= FIRST_TOKEN, token, NOTHING)


def _distance(
    values: tf.Tensor, histories: Histories, candidate: tf.Tensor, weight: tf.Tensor
) -> tf.Tensor:
    """Returns by how many deviations a candidate's number is off the usual."""
    past = tf.gather(values, histories.index)
    known = tf.where(tf.math.is_nan(past), 0.0, weight)
    # Counted from one of them: rounding then gives equal numbers no deviation.
    zero = tf.reduce_max(
        tf.where(known > 0, past, past.dtype.min), axis=1, keepdims=True
    )
    past = tf.where(known > 0, past - zero, 0.0)
    total = tf.reduce_sum(known, axis=1, keepdims=True)
    mean = tf.math.divide_no_nan(tf.reduce_sum(known * past, 1, keepdims=True), total)
    squares = tf.reduce_sum(known * (past - mean) ** 2, axis=1, keepdims=True)
    deviation = tf.sqrt(tf.math.divide_no_nan(squares, total))
    own = tf.gather(values, candidate)
    off = tf.math.divide_no_nan(own - zero - mean, deviation)
    usable = ~tf.math.is_nan(own) & (total > 0)
    return tf.where(usable, tf.clip_by_value(off, -5.0, 5.0), 0.0)[..., tf.newaxis]
