"""A user's history to one vector: weighted means of what its events were about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.layers.lookup import FIRST_TOKEN, PADDING


class Histories(NamedTuple):
    """Holds the events that queries look back at, oldest first, padded in front."""

    vectors: tf.Tensor
    """`[queries, length, width]`, what each event was about."""
    index: tf.Tensor
    """int `[queries, length]` of the items; 0 is padding."""
    event_type: tf.Tensor
    """int `[queries, length]`, indices of the event types."""
    age_days: tf.Tensor
    """float `[queries, length]`, days before the request."""

    @property
    def real(self) -> tf.Tensor:
        """Returns 1.0 for events and 0.0 for padding, `[queries, length]`."""
        return tf.cast(self.index != PADDING, tf.float32)

    def trimmed(self) -> Histories:
        """Returns the same without the padding that all queries have in front."""
        events = tf.reduce_sum(tf.cast(self.index != PADDING, tf.int32), axis=1)
        longest = tf.reduce_max(tf.pad(events, [[0, 1]], constant_values=1))
        return Histories(*(column[:, -longest:] for column in self))

    @property
    def latest(self) -> tf.Tensor:
        """Returns which events are the last of their item, bool `[queries, length]`."""
        return self.edges()[1]

    def edges(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns which events are the first and which the last of their item.

        Two bool `[queries, length]`.
        """
        queries, length = tf.unstack(tf.shape(self.index))
        place = tf.cast(tf.range(length), tf.int64)
        # Sorting by item and then by place brings an item's events together.
        step = tf.cast(length, tf.int64)
        key = tf.sort(tf.cast(self.index, tf.int64) * step + place, axis=1)
        item = key // step + 1  # 0 is beyond the ends
        first = tf.pad(item[:, :-1], [[0, 0], [1, 0]]) != item
        last = tf.pad(item[:, 1:], [[0, 0], [0, 1]]) != item
        row = tf.range(tf.cast(queries, tf.int64))[:, tf.newaxis]
        cell = tf.reshape(row * step + key % step, [-1, 1])
        flags = tf.reshape(tf.stack([first, last], axis=-1), [-1, 2])
        placed = tf.scatter_nd(
            cell, tf.cast(flags, tf.int32), [tf.size(key, tf.int64), 2]
        )
        in_place = tf.reshape(placed > 0, [queries, length, 2])
        return in_place[..., 0], in_place[..., 1]


def type_weights(spec: FeatureSpec) -> list[float]:
    """Returns how much an event counts, by index of its type.

    Padding counts 0, an unknown type like the least of the known ones.
    """
    weights = list(spec.event_weights.values())
    return [0.0, min(weights), *weights]


class HistorySummary(tf.keras.layers.Layer):
    """Tells how much history there is and how long ago it ended."""

    def call(self, histories: Histories) -> tf.Tensor:
        """Returns `[queries, 2]`: log(1 + events), log(1 + days since the last)."""
        events = tf.reduce_sum(histories.real, axis=1)
        oldest = tf.cast(tf.float32.max, tf.float32)
        ages = tf.where(histories.real > 0, tf.maximum(histories.age_days, 0.0), oldest)
        newest = tf.reduce_min(
            tf.pad(ages, [[0, 0], [0, 1]], constant_values=oldest), axis=1
        )
        days = tf.where(events > 0, newest, 0.0)
        return tf.math.log1p(tf.stack([events, days], axis=1))


class MeanHistory(tf.keras.layers.Layer):
    """Averages a history once for each half-life, so that near and far past differ.

    The weight of an event is its type's weight (a view counts less than a purchase)
    times `0.5 ** (age / half_life)`. Padding weighs nothing; an empty history gives
    zeros.

    Args:
        spec: names the event types and their weights.
        half_lives_days: ages at which an event counts half; infinity: all count alike.
    """

    def __init__(self, spec: FeatureSpec, half_lives_days: Sequence[float]) -> None:
        super().__init__(name="mean_history")
        self.type_weights = type_weights(spec)
        self.half_lives_days = list(half_lives_days)

    def shares(self, histories: Histories) -> tf.Tensor:
        """Returns each event's part of each mean, `[queries, half_lives, length]`."""
        types = tf.constant(self.type_weights, tf.float32)
        weight = tf.gather(types, histories.event_type) * histories.real
        age = tf.maximum(histories.age_days, 0.0)[:, tf.newaxis, :]
        rate = tf.constant([math.log(2) / days for days in self.half_lives_days])
        decay = tf.exp(-age * rate[tf.newaxis, :, tf.newaxis])
        return normalized(weight[:, tf.newaxis, :] * decay)

    def call(self, histories: Histories) -> tf.Tensor:
        """Returns `[queries, half_lives * width]`."""
        return side_by_side(tf.matmul(self.shares(histories), histories.vectors))


class AttentionHistory(tf.keras.layers.Layer):
    """Averages a history with learned weights, one mean a head.

    The weight of an event depends on what it was about, on its type and on its age, not
    on the item that is scored: queries stay one vector each.

    Args:
        spec: names the event types.
        heads: number of means.
    """

    def __init__(self, spec: FeatureSpec, heads: int) -> None:
        super().__init__(name="attention_history")
        self.content = tf.keras.layers.Dense(heads, use_bias=False)
        self.types = tf.keras.layers.Embedding(
            FIRST_TOKEN + len(spec.event_types), heads, embeddings_initializer="zeros"
        )
        self.heads = heads

    def build(self, shape: object) -> None:
        """Makes the rates at which the heads forget; some forget faster than others."""
        start = tf.linspace(-2.0, 1.0, self.heads)
        self.forgetting = self.add_weight(
            "forgetting",
            [self.heads],
            initializer=tf.keras.initializers.Constant(start.numpy()),
        )
        super().build(shape)

    def shares(self, histories: Histories) -> tf.Tensor:
        """Returns each event's part of each mean, `[queries, heads, length]`."""
        age = tf.math.log1p(tf.maximum(histories.age_days, 0.0))[..., tf.newaxis]
        logits = self.content(histories.vectors) + self.types(histories.event_type)
        logits -= tf.nn.softplus(self.forgetting) * age  # [queries, length, heads]
        real = histories.real[..., tf.newaxis]
        highest = tf.reduce_max(
            tf.where(real > 0, logits, logits.dtype.min), axis=1, keepdims=True
        )
        weight = tf.exp(tf.minimum(logits - tf.stop_gradient(highest), 0.0)) * real
        return normalized(tf.transpose(weight, [0, 2, 1]))

    def call(self, histories: Histories) -> tf.Tensor:
        """Returns `[queries, heads * width]`."""
        return side_by_side(tf.matmul(self.shares(histories), histories.vectors))


class OwnItemsFirst(tf.keras.initializers.Initializer):
    """Starts a projection of means where a query is most like the items it has had.

    The leading columns of each mean, the items' embeddings, come through `GAIN` times
    as long, averaged over the means, beside what Glorot's draw makes of everything.
    As in FISM (Kabbur et al. 2013, https://doi.org/10.1145/2487575.2487589) items are
    then compared with items from the first step; a draw alone has to find that out.

    Args:
        means: number of means that stand side by side in the projection's input.
    """

    GAIN = 10.0
    """A mean of n items is like each of them in one part of n only."""

    def __init__(self, means: int) -> None:
        self.means = means

    def __call__(
        self, shape: Sequence[int], dtype: tf.DType | None = None, **_: object
    ) -> tf.Tensor:
        """Returns the kernel `[means * width, dim]`; width is at least dim."""
        rows, dim = shape
        dtype = dtype or tf.float32
        one = tf.eye(rows // self.means, dim, dtype=dtype) * (self.GAIN / self.means)
        drawn = tf.keras.initializers.GlorotUniform()(shape, dtype)
        return drawn + tf.tile(one, [self.means, 1])


def normalized(weight: tf.Tensor) -> tf.Tensor:
    """Returns weights `[queries, means, length]` that sum to 1, or 0 without weight."""
    return tf.math.divide_no_nan(weight, tf.reduce_sum(weight, axis=2, keepdims=True))


def side_by_side(means: tf.Tensor) -> tf.Tensor:
    """Returns `[queries, means * width]` of means `[queries, means, width]`."""
    return tf.reshape(means, [-1, means.shape[1] * means.shape[2]])
