"""Queries and training examples, cut from the event log inside `tf.data`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
)
from tfrs_app.data.event_log import EventLog

TARGET = "target"
WEIGHT = "weight"
QUERY_ROW = "query_row"
TIMESTAMP = "timestamp"
WINDOW = "window"
WINDOW_END = "window_end"


class QueryReader:
    """Cuts looked-up queries of the last `history_length` events from an event log.

    Args:
        log: everybody's events.
        item_token: index of each catalogue row in the item vocabulary, `[items]`.
        type_token: index of each of the spec's event types, `[types]`.
        profile: looked-up query features, `[users]` each.
        context: looked-up context features, `[events]` each.
        history_length: L, the most recent events that a query shows.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        item_token: np.ndarray,
        type_token: np.ndarray,
        profile: Mapping[str, np.ndarray],
        context: Mapping[str, np.ndarray],
        history_length: int,
    ) -> None:
        self.history_length = history_length
        self._start = tf.constant(log.row_splits[:-1])
        self._timestamp = tf.constant(log.timestamp)
        self._item = tf.constant(item_token[log.item])
        self._type = tf.constant(type_token[log.event_type])
        self._profile = {name: tf.constant(v) for name, v in profile.items()}
        self._context = {name: tf.constant(v) for name, v in context.items()}

    def __call__(
        self, user: tf.Tensor, end: tf.Tensor, timestamp: tf.Tensor, moment: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Cuts a batch of queries.

        Args:
            user: int64 `[batch]`.
            end: int64 `[batch]`, position just after each history's last event.
            timestamp: int64 `[batch]`, the moment of the request in seconds.
            moment: int64 `[batch]`, the event whose context the request has.

        Returns:
            History sequences `[batch, L]`, oldest first, padded in front;
            `timestamp`, profile and context `[batch]`.
        """
        return {
            **self._windows(user, end),
            **self._of_requests(user, timestamp, moment),
        }

    def shared(
        self, user: tf.Tensor, end: tf.Tensor, timestamp: tf.Tensor, moment: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Cuts a batch of queries like a call, but one window for all of a user's.

        Returns:
            As a call does, but sequences are `[users, L]`; `window` `[batch]` is each
            query's row and `window_end` `[batch]` the position after its last event.
        """
        users, window = tf.unique(user)
        last = tf.math.unsorted_segment_max(end, window, tf.shape(users)[0])
        behind = tf.gather(last, window) - end  # events that the query doesn't see
        visible = tf.maximum(self.history_length - behind, 0)
        return {
            **self._windows(users, last),
            **self._of_requests(user, timestamp, moment),
            WINDOW: window,
            WINDOW_END: tf.cast(visible, tf.int32),
        }

    def _of_requests(
        self, user: tf.Tensor, timestamp: tf.Tensor, moment: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return {
            TIMESTAMP: timestamp,
            **{name: tf.gather(v, user) for name, v in self._profile.items()},
            **{name: tf.gather(v, moment) for name, v in self._context.items()},
        }

    def _windows(self, user: tf.Tensor, end: tf.Tensor) -> dict[str, tf.Tensor]:
        offsets = tf.range(-self.history_length, 0, dtype=tf.int64)
        position = end[:, tf.newaxis] + offsets  # [batch, L]
        real = position >= tf.gather(self._start, user)[:, tf.newaxis]
        position = tf.where(real, position, 0)
        sequences = {
            HISTORY_ITEM_ID: self._item,
            HISTORY_EVENT_TYPE: self._type,
            HISTORY_TIMESTAMP: self._timestamp,
        }
        return {
            name: tf.where(real, tf.gather(values, position), 0)
            for name, values in sequences.items()
        }


def training_batches(
    reader: QueryReader,
    log: EventLog,
    *,
    positions: np.ndarray,
    weight: np.ndarray,
    batch_size: int,
    seed: tuple[int, ...],
    share_windows: bool = False,
) -> tf.data.Dataset:
    """Makes one epoch of training batches, each of one stretch of time, shuffled.

    A batch holds what was bought at about one time, so one look at the trends of that
    time serves all its candidates. The events of one basket share one history, so each
    query is cut, and later embedded, once for all of its targets. Examples before the
    first and after the last whole batch, other ones each epoch, are left out.

    Args:
        reader: cuts the histories.
        log: the events that `reader` reads.
        positions: int64 `[examples]`, the events to predict.
        weight: float `[examples]`, how much each counts in the loss.
        batch_size: examples a batch.
        seed: decides the order, e.g. (configured seed, epoch).
        share_windows: whether all queries of one user read one window, which ends with
            the last of them; histories of earlier ones are shorter by what came after.

    Returns:
        Dicts of `target` (catalogue row), `weight` and `query_row`, `[batch]` each, and
        of the queries' inputs, `[queries, ...]`, into which `query_row` points. If
        windows are shared, histories are `[windows, L]`, and `window` and `window_end`
        `[queries]` say which of them a query reads and up to where.
    """
    basket = log.history_end()
    random = np.random.default_rng(seed)
    order = _by_time(log.timestamp, basket, positions, random)
    skipped = random.integers(0, len(order) % batch_size + 1)
    shuffled = tf.constant(positions[order[skipped:]])
    weights = tf.constant(weight[order[skipped:]], tf.float32)
    user = tf.constant(log.user)
    timestamp = tf.constant(log.timestamp)
    item = tf.constant(log.item)
    basket = tf.constant(basket)

    def batch(number: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.range(number * batch_size, (number + 1) * batch_size)
        target = tf.gather(shuffled, rows)
        first, query_row = tf.unique(tf.gather(basket, target))
        users, moments = tf.gather(user, first), tf.gather(timestamp, first)
        read = reader.shared if share_windows else reader
        return {
            **read(users, first, moments, first),
            QUERY_ROW: query_row,
            TARGET: tf.gather(item, target),
            WEIGHT: tf.gather(weights, rows),
        }

    numbers = random.permutation(len(order) // batch_size).astype(np.int32)
    batches = tf.data.Dataset.from_tensor_slices(numbers)
    return batches.map(batch, num_parallel_calls=1).prefetch(4)


def _by_time(
    timestamp: np.ndarray,
    basket: np.ndarray,
    positions: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Returns an order by time that keeps baskets together and shuffles equal times."""
    _, number = np.unique(basket[positions], return_inverse=True)
    shuffled = random.permutation(number.max(initial=-1) + 1)[number]
    return np.lexsort((shuffled, timestamp[positions]))
