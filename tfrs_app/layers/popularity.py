"""How popular an item lately was, as of any moment: it shows the towers a season."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfrs_app.data.event_log import EventLog
from tfrs_app.layers.inputs import SECONDS_PER_DAY

SECONDS_SPAN = 2**33
"""More seconds than any timestamp has, so that (item, second) fits one int64."""


class RecentPopularity(tf.keras.layers.Layer):
    """Counts an item's events in the days before a moment, strictly earlier ones only.

    As of an example's own time in training, as of the request's in serving: the future
    is never seen. Events are kept as sorted (item, second) numbers, so a count is the
    distance of two binary searches.

    Args:
        log: everybody's events.
        days: lengths of the windows.
    """

    def __init__(self, log: EventLog, days: Sequence[float]) -> None:
        super().__init__(name="recent_popularity", trainable=False)
        keys = log.item.astype(np.int64) * SECONDS_SPAN + log.timestamp
        self._keys = tf.constant(np.sort(keys))
        self._windows_s = [round(length * SECONDS_PER_DAY) for length in days]

    def call(self, rows: tf.Tensor, moment: tf.Tensor) -> tf.Tensor:
        """Returns log(1 + count), float32 `[n, windows]`.

        Args:
            rows: catalogue rows `[n]`.
            moment: int64 seconds `[n]`.
        """
        first = tf.cast(rows, tf.int64) * SECONDS_SPAN
        until = tf.searchsorted(self._keys, first + moment)
        counts = [
            until - tf.searchsorted(self._keys, first + tf.maximum(moment - window, 0))
            for window in self._windows_s
        ]
        return tf.math.log1p(tf.cast(tf.stack(counts, axis=-1), tf.float32))
