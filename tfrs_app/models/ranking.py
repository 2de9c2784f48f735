"""DCN-v2: how probably a user takes each candidate of a list."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec, Kind, Role
from tfrs_app.contract.formula import Formula
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.layers.calibration import Calibration
from tfrs_app.layers.dcn import DeepCrossNetwork
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.inputs import FeatureInputs
from tfrs_app.layers.lookup import FIRST_TOKEN
from tfrs_app.layers.target_attention import TargetAttention
from tfrs_app.models.encoded import EncodedDataset

ROW = "candidate_row"
FEATURES = "candidate_features"
ATTENDED_ROW = "attended_row"
ATTENDED_TYPE = "attended_type"
ATTENDED_AGE = "attended_age_days"
VECTORS = "item_vectors"
ROWS_AT_ONCE = 65_536
CLIP = 5.0
"""Standard deviations beyond which a feature tells no more."""


def tasks_of(spec: FeatureSpec) -> list[str]:
    """Returns the event types, the lightest first: what is predicted, in this order."""
    return sorted(spec.event_weights, key=lambda name: spec.event_weights[name])


class RankingModel(tf.keras.layers.Layer):
    """Predicts what happens to each candidate, one task an event type.

    Several networks (DCN-v2), of different random weights at the start, are told the
    same of each candidate; the mean of what they say errs less than one of them.

    Args:
        encoded: dataset with look-ups.
        config: sizes.
        columns: width of the candidates' features.
        vector_width: of the item vectors that target attention reads.
    """

    def __init__(
        self,
        encoded: EncodedDataset,
        config: RankingConfig,
        columns: int,
        vector_width: int,
    ) -> None:
        super().__init__(name="ranking")
        dataset, spec = encoded.dataset, encoded.dataset.spec
        self.config, self.columns, self.tasks = config, columns, tasks_of(spec)
        self.vector_width, self.attention = vector_width, None
        if config.target_attention is not None:
            types = FIRST_TOKEN + len(spec.event_types)
            self.attention = TargetAttention(types, config.target_attention)
        known = (dataset.vocabularies, dataset.numeric)
        items = [f for f in spec.of(Role.CANDIDATE) if f.kind is not Kind.TEXT]
        asked = (*spec.of(Role.QUERY), *spec.of(Role.CONTEXT))
        read = config.content
        self.items = FeatureInputs(items if read else (), *known, "ranked_items")
        self.queries = FeatureInputs(asked if read else (), *known, "ranked_queries")
        self.content = {f.name: tf.constant(encoded.catalogue[f.name]) for f in items}
        self.scale = _Scale(columns)
        self.members = [
            DeepCrossNetwork(config, len(self.tasks)) for _ in range(config.members)
        ]
        self.calibrations = [Calibration() for _ in self.tasks]
        self.formula = None if config.score is None else Formula(config.score)
        self.means = {name: known.mean for name, known in dataset.numeric.items()}

    def make_variables(self, query: Mapping[str, tf.Tensor]) -> None:
        """Makes all variables, which layers otherwise make when first called.

        Args:
            query: profile and context of no query, `[0]` each.
        """
        nothing = {
            FEATURES: tf.zeros([0, 1, self.columns]),
            ROW: tf.zeros([0, 1], tf.int32),
            ATTENDED_ROW: tf.zeros([0, 1], tf.int32),
            ATTENDED_TYPE: tf.zeros([0, 1], tf.int32),
            ATTENDED_AGE: tf.zeros([0, 1]),
            VECTORS: tf.zeros([1, self.vector_width]),
        }
        self({**query, **nothing})

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns logits `[batch, n, tasks]`, the mean of all members'.

        Args:
            inputs: `FEATURES` `[batch, n, columns]`, `ROW` `[batch, n]`, and each query
                and context feature `[batch]`. With target attention also `VECTORS`
                `[items, vector_width]` and the events that are weighed,
                `[batch, length]`: `ATTENDED_ROW`, NOTHING for padding,
                `ATTENDED_TYPE` and `ATTENDED_AGE`.
        """
        return tf.reduce_mean(self.opinions(inputs), axis=2)

    def opinions(
        self, inputs: Mapping[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns each member's logits, `[batch, n, members, tasks]`; 0 for padding.

        Args:
            inputs: as `call` takes them.
            training: whether each member drops some of what it is told.
        """
        told, row = self._told(inputs), inputs[ROW]
        real = tf.where(row != NOTHING)
        told = tf.gather_nd(told, real)
        logits = [member(told, training=training) for member in self.members]
        chained = self._chained(tf.stack(logits, axis=1))
        shape = tf.concat([tf.shape(row), tf.shape(chained)[1:]], axis=0)
        padded = tf.scatter_nd(real, chained, tf.cast(shape, tf.int64))
        return tf.ensure_shape(padded, [None, None, *chained.shape[1:]])

    def _told(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns all that the members are told of a candidate, `[batch, n, width]`."""
        row = tf.maximum(inputs[ROW], 0)
        content = {name: tf.gather(v, row) for name, v in self.content.items()}
        queries = [
            tf.repeat(part[:, tf.newaxis, :], tf.shape(row)[1], axis=1)
            for part in self.queries(inputs)
        ]
        scaled = [self.scale(inputs[FEATURES]), *self._attended(inputs)]
        return tf.concat([*scaled, *self.items(content), *queries], axis=-1)

    def _attended(self, inputs: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        """Returns what target attention makes of the events, if there is any."""
        if self.attention is None:
            return []
        vectors, past = inputs[VECTORS], inputs[ATTENDED_ROW]
        return [
            self.attention(
                tf.gather(vectors, tf.maximum(past, 0)),
                past,
                inputs[ATTENDED_TYPE],
                inputs[ATTENDED_AGE],
                tf.gather(vectors, tf.maximum(inputs[ROW], 0)),
                inputs[ROW],
            )
        ]

    def _chained(self, logits: tf.Tensor) -> tf.Tensor:
        """Multiplies each task's probability by those of all lighter ones.

        If so configured: ESMM, Ma et al. 2018, https://arxiv.org/abs/1804.07931.
        """
        if not self.config.entire_space:
            return logits
        log_p = tf.cumsum(tf.math.log_sigmoid(logits), axis=-1)
        log_p = tf.minimum(log_p, -1e-6)
        return log_p - tf.math.log(-tf.math.expm1(log_p))

    def probabilities(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the calibrated probability of each task, `[batch, n]`."""
        pairs = zip(self.calibrations, tf.unstack(logits, axis=-1), strict=True)
        calibrated = [tf.sigmoid(calibrate(one)) for calibrate, one in pairs]
        return dict(zip(self.tasks, calibrated, strict=True))

    def score(
        self, probabilities: Mapping[str, tf.Tensor], row: tf.Tensor
    ) -> tf.Tensor:
        """Returns what lists are ordered by, `[batch, n]`.

        A number that an item lacks is taken to be the catalogue's mean.
        """
        if self.formula is None:
            return probabilities[self.tasks[-1]]
        values = dict(probabilities)
        for name in self.formula.names - set(values):
            own = tf.gather(tf.cast(self.content[name], tf.float32), tf.maximum(row, 0))
            values[name] = tf.where(tf.math.is_nan(own), self.means[name], own)
        plain = tf.autograph.experimental.do_not_convert(self.formula)
        return plain(values)


class _Scale(tf.keras.layers.Layer):
    """Brings features to mean 0 and deviation 1, and cuts off what is far out."""

    def __init__(self, columns: int) -> None:
        super().__init__(name="scale", trainable=False)
        self.mean = tf.Variable(tf.zeros([columns]), trainable=False)
        self.deviation = tf.Variable(tf.ones([columns]), trainable=False)

    def fit(self, features: np.ndarray) -> None:
        """Takes mean and deviation from features `[n, columns]`."""
        mean = features.mean(axis=0, dtype=np.float64)
        self.mean.assign(mean)
        squares = np.zeros(len(mean))
        for start in range(0, len(features), ROWS_AT_ONCE):  # not all as float64
            off = features[start : start + ROWS_AT_ONCE] - mean
            squares += np.square(off).sum(axis=0)
        deviation = np.sqrt(squares / len(features))
        self.deviation.assign(np.where(deviation > 0, deviation, 1.0))

    def call(self, features: tf.Tensor) -> tf.Tensor:
        scaled = (features - self.mean) / self.deviation
        return tf.clip_by_value(scaled, -CLIP, CLIP)
