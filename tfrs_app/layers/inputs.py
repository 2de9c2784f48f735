"""Declared features to one dense vector: `[batch]` each in, `[batch, width]` out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import Feature, Kind
from tfrs_app.data.dataset import NumericStatistics
from tfrs_app.layers.lookup import FIRST_TOKEN, Vocabularies

HOURS = 24
DAYS = 7
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86400
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0

Renew = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Rows of texts `[n]` and their vectors `[n, width]` to newer vectors."""


class Normalized(tf.keras.layers.Layer):
    """Scales numbers to zero mean and unit variance; a missing one (NaN) is told apart.

    Maps `[...]` to `[..., 2]`: the scaled value (0 if missing) and 1.0 if missing.
    """

    def __init__(self, statistics: NumericStatistics, name: str) -> None:
        super().__init__(name=name, trainable=False)
        self.mean = statistics.mean
        self.std = statistics.std or 1.0

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns `[..., 2]`."""
        values = tf.cast(values, tf.float32)
        missing = tf.math.is_nan(values)
        scaled = tf.where(missing, 0.0, (values - self.mean) / self.std)
        return tf.stack([scaled, tf.cast(missing, tf.float32)], axis=-1)


class Bucketized(tf.keras.layers.Layer):
    """Embeds the quantile bucket of a number; a missing one (NaN) has its own bucket.

    Maps `[...]` to `[..., dim]`.
    """

    def __init__(self, feature: Feature, statistics: NumericStatistics) -> None:
        super().__init__(name=f"{feature.name}_bucketized")
        self.boundaries = bucket_boundaries(statistics, feature.buckets)
        self.embedding = tf.keras.layers.Embedding(
            len(self.boundaries) + 2, feature.dim, name=f"{feature.name}_embedding"
        )

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Returns `[..., dim]`."""
        values = tf.cast(values, tf.float32)
        missing = tf.math.is_nan(values)
        flat = tf.searchsorted(
            tf.constant(self.boundaries, tf.float32),
            tf.reshape(tf.where(missing, 0.0, values), [-1]),
            side="right",
        )
        bucket = tf.reshape(flat, tf.shape(values))
        return self.embedding(tf.where(missing, 0, bucket + 1))


class CalendarTime(tf.keras.layers.Layer):
    """Embeds hour of day and day of week (UTC) of a moment.

    Maps int64 seconds since the epoch `[batch]` to `[batch, 2 * dim]`.
    """

    def __init__(self, feature: Feature) -> None:
        super().__init__(name=f"{feature.name}_calendar")
        self.hour = tf.keras.layers.Embedding(HOURS, feature.dim, name="hour")
        self.weekday = tf.keras.layers.Embedding(DAYS, feature.dim, name="weekday")

    def call(self, seconds: tf.Tensor) -> tf.Tensor:
        """Returns `[batch, 2 * dim]`."""
        hour = tf.math.floormod(seconds // SECONDS_PER_HOUR, HOURS)
        weekday = tf.math.floormod(seconds // SECONDS_PER_DAY + EPOCH_WEEKDAY, DAYS)
        return tf.concat([self.hour(hour), self.weekday(weekday)], axis=-1)


class EmbeddedText(tf.keras.layers.Layer):
    """Projects the vectors of texts that were embedded once, before training.

    Maps rows of the vectors `[...]` to `[..., dim]`; the row behind the last is zeros.
    Texts that have no row come as vectors themselves, `[..., width]`.

    Args:
        vectors: float32 `[texts, width]`.
        dim: width of the output.
        name: of the layer.
    """

    def __init__(self, vectors: np.ndarray, dim: int, name: str) -> None:
        super().__init__(name=name)
        self.vectors = tf.Variable(_and_nothing(vectors), trainable=False)
        self.project = tf.keras.layers.Dense(dim, use_bias=False)

    def assign(self, vectors: tf.Tensor) -> None:
        """Replaces the vectors, `[texts, width]`."""
        self.vectors.assign(_and_nothing(vectors))

    def call(self, rows: tf.Tensor, renew: Renew | None = None) -> tf.Tensor:
        """Returns `[..., dim]`, of the vectors as `renew` makes them if it is given."""
        if rows.dtype.is_floating:
            return self.project(rows)
        # A batch names a text many times, and projecting it costs more than finding it.
        distinct, place = tf.unique(tf.reshape(rows, [-1]))
        vectors = tf.gather(self.vectors, distinct)
        if renew is not None:
            vectors = renew(distinct, vectors)
        return tf.gather(self.project(vectors), tf.reshape(place, tf.shape(rows)))


def _and_nothing(vectors: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Returns vectors `[texts, width]` with a row of zeros behind them."""
    return tf.pad(vectors, [[0, 1], [0, 0]])


class FeatureInputs(tf.keras.layers.Layer):
    """Turns each declared feature into a dense part, in the spec's order.

    Args:
        features: of one table; texts without vectors are left out.
        vocabularies: of the categorical features.
        statistics: of the numeric features.
        name: of the layer.
        text_vectors: embedded texts, float32 `[texts, width]`, or None.
        text_dim: width that these are projected to.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        vocabularies: Vocabularies,
        statistics: Mapping[str, NumericStatistics],
        name: str,
        text_vectors: np.ndarray | None = None,
        text_dim: int = 64,
    ) -> None:
        super().__init__(name=name)
        # All text features share the vectors, and so their projection.
        self.text = (
            None
            if text_vectors is None
            else EmbeddedText(text_vectors, text_dim, "embedded_text")
        )
        parts = {
            feature.name: self.text
            if feature.kind is Kind.TEXT
            else _part(feature, vocabularies, statistics)
            for feature in features
        }
        self.parts = {name: part for name, part in parts.items() if part is not None}

    def call(
        self, inputs: Mapping[str, tf.Tensor], renew: Renew | None = None
    ) -> list[tf.Tensor]:
        """Returns one `[..., width_i]` tensor a feature; none for no features.

        Args:
            inputs: each feature's values `[...]`.
            renew: what the vectors of texts go through, or None.
        """
        return [
            layer(inputs[name], renew)
            if isinstance(layer, EmbeddedText)
            else layer(inputs[name])
            for name, layer in self.parts.items()
        ]


def _part(
    feature: Feature,
    vocabularies: Vocabularies,
    statistics: Mapping[str, NumericStatistics],
) -> tf.keras.layers.Layer:
    if feature.kind is Kind.CATEGORICAL:
        rows = len(vocabularies[feature.name]) + FIRST_TOKEN
        return tf.keras.layers.Embedding(
            max(rows, FIRST_TOKEN + 1), feature.dim, name=f"{feature.name}_embedding"
        )
    if feature.kind is Kind.NUMERIC:
        return Normalized(statistics[feature.name], f"{feature.name}_normalized")
    if feature.kind is Kind.BUCKETIZED:
        return Bucketized(feature, statistics[feature.name])
    return CalendarTime(feature)


def bucket_boundaries(statistics: NumericStatistics, buckets: int) -> list[float]:
    """Returns at most `buckets - 1` distinct inner boundaries of equal mass."""
    last = len(statistics.quantiles) - 1
    inner = [statistics.quantiles[round(i * last / buckets)] for i in range(1, buckets)]
    return sorted(set(inner))
