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
MOMENT = "moment"
WEIGHT = "weight"
QUERY_ROW = "query_row"
TIMESTAMP = "timestamp"


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
            **{
                name: tf.where(real, tf.gather(values, position), 0)
                for name, values in sequences.items()
            },
            TIMESTAMP: timestamp,
            **{name: tf.gather(v, user) for name, v in self._profile.items()},
            **{name: tf.gather(v, moment) for name, v in self._context.items()},
        }


def training_batches(
    reader: QueryReader,
    log: EventLog,
    *,
    positions: np.ndarray,
    weight: np.ndarray,
    batch_size: int,
    seed: tuple[int, ...],
) -> tf.data.Dataset:
    """Makes one epoch of shuffled training batches; a short last batch is left out.

    The events of one basket share one history, so baskets are shuffled as wholes and
    each query is cut, and later embedded, once for all of its targets.

    Args:
        reader: cuts the histories.
        log: the events that `reader` reads.
        positions: int64 `[examples]`, the events to predict.
        weight: float `[examples]`, how much each counts in the loss.
        batch_size: examples a batch.
        seed: decides the order, e.g. (configured seed, epoch).

    Returns:
        Dicts of `target` (catalogue row), `moment` (its second), `weight` and
        `query_row`, `[batch]` each, and of the queries' inputs, `[queries, ...]`, into
        which `query_row` points.
    """
    basket = log.history_end()
    order = _shuffled_by_basket(basket[positions], seed)
    shuffled = tf.constant(positions[order])
    weights = tf.constant(weight[order], tf.float32)
    user = tf.constant(log.user)
    timestamp = tf.constant(log.timestamp)
    item = tf.constant(log.item)
    basket = tf.constant(basket)

    def batch(number: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.range(number * batch_size, (number + 1) * batch_size)
        target = tf.gather(shuffled, rows)
        first, query_row = tf.unique(tf.gather(basket, target))
        queries = reader(
            tf.gather(user, first), first, tf.gather(timestamp, first), first
        )
        return {
            **queries,
            QUERY_ROW: query_row,
            TARGET: tf.gather(item, target),
            MOMENT: tf.gather(timestamp, target),
            WEIGHT: tf.gather(weights, rows),
        }

    batches = tf.data.Dataset.range(len(positions) // batch_size)
    return batches.map(batch, num_parallel_calls=1).prefetch(4)


def _shuffled_by_basket(basket: np.ndarray, seed: tuple[int, ...]) -> np.ndarray:
    """Returns an order that shuffles baskets and keeps each basket together."""
    _, number = np.unique(basket, return_inverse=True)
    rank = np.random.default_rng(seed).permutation(number.max(initial=-1) + 1)
    return np.argsort(rank[number], kind="stable")
