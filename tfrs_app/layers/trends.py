"""What the shop's events say of every item as of any moment: trend, novelty, age."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfrs_app.data.event_log import NEVER, EventLog
from tfrs_app.layers.inputs import SECONDS_PER_DAY

DAYS_PER_WEEK = 7.0


class ItemTrends(tf.keras.layers.Layer):
    """Describes how often items were lately wanted, from strictly earlier events only.

    As of the batch's first moment in training, as of the last event's in serving: the
    future is never seen. Somebody's tenth purchase tells less of what others will want
    than ten people's first, so events, users and new users are counted.

    Args:
        log: everybody's events.
        items: size of the catalogue.
        days: lengths of the windows that events are counted in.
    """

    def __init__(self, log: EventLog, items: int, days: Sequence[float]) -> None:
        super().__init__(name="item_trends", trainable=False)
        order = np.argsort(log.timestamp, kind="stable")
        self._timestamp = tf.constant(log.timestamp[order])
        self._previous = tf.constant(log.previous[order])
        self._item = tf.constant(log.item[order])
        self._weight = tf.constant(log.weight[order], tf.float32)
        self._born = tf.constant(first_seconds(log, items))
        self._windows = [(round(d * SECONDS_PER_DAY), DAYS_PER_WEEK / d) for d in days]
        self.items = items
        self.width = 3 * len(days) + 2

    def call(self, moment: tf.Tensor) -> tf.Tensor:
        """Returns float32 `[items, width]`.

        Columns: for each window log(1 + n a week) of events, of users who had some and
        of users who had their first; then log(1 + days since the item's first event)
        and whether it had one. Events count by the weight of their type.

        Args:
            moment: int64 second, scalar.
        """
        columns = []
        for window_s, per_week in self._windows:
            start, end = tf.unstack(
                tf.searchsorted(self._timestamp, [moment - window_s, moment])
            )
            previous = self._previous[start:end]
            everybody = self._weight[start:end]
            users = tf.where(previous < moment - window_s, everybody, 0.0)
            new_users = tf.where(previous == NEVER, everybody, 0.0)
            for weight in (everybody, users, new_users):
                counts = tf.raw_ops.DenseBincount(
                    input=self._item[start:end], size=self.items, weights=weight
                )
                columns.append(tf.math.log1p(per_week * counts))
        days = tf.cast(moment - self._born, tf.float32) / SECONDS_PER_DAY
        known = self._born < moment
        age = tf.where(known, tf.math.log1p(tf.maximum(days, 0.0)), 0.0)
        life = tf.stack([age, tf.cast(known, tf.float32)], axis=1)
        return tf.concat([tf.stack(columns, axis=1), life], axis=1)


def first_seconds(log: EventLog, items: int) -> np.ndarray:
    """Returns the second of each item's first event, int64; the far future for none."""
    seconds = np.full(items, np.iinfo(np.int64).max // 2)
    np.minimum.at(seconds, log.item, log.timestamp)
    return seconds
