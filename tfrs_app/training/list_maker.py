"""Makes lists for the ranker: what was proposed or shown, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
)
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.ragged import padded
from tfrs_app.data.shown_lists import ShownLists
from tfrs_app.data.windows import QueryReader
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.models.funnel import Described, Funnel
from tfrs_app.models.ranking import ATTENDED_ROW
from tfrs_app.progress import counted
from tfrs_app.training.ranking_lists import Lists

HISTORY = (HISTORY_ITEM_ID, HISTORY_EVENT_TYPE, HISTORY_TIMESTAMP)
EVERYTHING = np.iinfo(np.int64).max
"""Events that a list shows of whom nothing is hidden."""
LISTS_A_STEP = 32


class ListMaker:
    """Describes what the funnel's own sources propose, and lists that were shown.

    Args:
        funnel: whose item state the caller sets to the moment.
        reader: cuts the queries.
        log: the same events.
        tasks: event types, positions in the spec's.
    """

    def __init__(
        self, funnel: Funnel, reader: QueryReader, log: EventLog, tasks: list[int]
    ) -> None:
        self._log, self._tasks, self._items = log, tasks, funnel.state.items
        vector = tf.TensorSpec([None], tf.int64)

        def told(
            inputs: Mapping[str, tf.Tensor], found: Described
        ) -> dict[str, tf.Tensor]:
            query = {k: v for k, v in inputs.items() if v.shape.rank == 1}
            return query | _aligned(funnel.attended(found.histories), funnel.config)

        def propose(
            user: tf.Tensor,
            end: tf.Tensor,
            moment: tf.Tensor,
            shown: tf.Tensor,
            excluded: tf.Tensor,
        ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
            inputs = _newest(reader(user, end, moment, end - 1), shown)
            found = funnel.unfiltered(inputs, excluded)
            features = tf.cast(found.features, tf.float16)
            return found.candidates.row, features, told(inputs, found)

        def show(
            user: tf.Tensor,
            end: tf.Tensor,
            moment: tf.Tensor,
            row: tf.Tensor,
            place: tf.Tensor,
        ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            inputs = reader(user, end, moment, end - 1)
            embedded = funnel.query_tower.embedded(inputs)
            given = funnel.given(inputs, embedded, row)
            found = funnel.described(given, place)
            return tf.cast(found.features, tf.float16), told(inputs, found)

        table = tf.TensorSpec([None, None], tf.int32)
        self._propose = tf.function(
            propose, input_signature=[vector, vector, vector, vector, table]
        )
        self._show = tf.function(
            show, input_signature=[vector, vector, vector, table, table]
        )

    def made(
        self,
        users: np.ndarray,
        start_s: int,
        end_s: int,
        *,
        new_only: bool,
        newest: np.ndarray | None = None,
    ) -> Iterator[Lists]:
        """Yields the lists of users at a moment.

        Args:
            users: int64, ascending; each with a history.
            start_s: the moment.
            end_s: what happens before this second is the label.
            new_only: whether requests exclude what the user had before.
            newest: int64 `[users]`, most recent events that each shows; None: all.
        """
        log = self._log
        if newest is None:
            newest = np.full(len(users), EVERYTHING)
        ends = log.before(start_s)
        key = log.user * self._items + log.item
        span = log.span(start_s, end_s)
        happened = [np.unique(key[span & (log.event_type == t)]) for t in self._tasks]
        had = np.unique(key[log.bought & log.span(None, start_s)])
        if new_only:
            happened = [np.setdiff1d(one, had) for one in happened]
        steps = range(0, len(users), LISTS_A_STEP)
        for start in counted(steps, "users asked", "batches", len(steps)):
            some = users[start : start + LISTS_A_STEP]
            excluded = self._excluded(had, some) if new_only else _NOTHING_EXCLUDED
            moment = np.full(len(some), start_s)
            few = newest[start : start + LISTS_A_STEP]
            row, features, query = self._propose(
                some, ends[some], moment, few, excluded
            )
            row = row.numpy()
            keys = some[:, np.newaxis] * self._items + row
            real = row != NOTHING
            label = [np.isin(keys, one) & real for one in happened]
            bounds = np.searchsorted(
                happened[-1], [some * self._items, (some + 1) * self._items]
            )
            yield Lists(
                user=some,
                row=row,
                features=features.numpy(),
                label=np.stack(label, axis=-1),
                weight=real.astype(np.float32),
                query={name: values.numpy() for name, values in query.items()},
                wanted=bounds[1] - bounds[0],
            )

    def shown(self, lists: ShownLists) -> Iterator[Lists]:
        """Yields lists that were shown, each as of its own moment.

        Args:
            lists: of users with a history by then.
        """
        ends = self._log.before_each(lists.user, lists.moment_s)
        real = lists.row != NOTHING
        pairs = (lists.user[:, np.newaxis], lists.row, lists.moment_s[:, np.newaxis])
        soon = [self._log.follows(t, *pairs, lists.within_s) for t in self._tasks]
        label = np.stack(soon, axis=-1) & real[..., np.newaxis]
        steps = range(0, len(ends), LISTS_A_STEP)
        for start in counted(steps, "lists shown", "batches", len(steps)):
            some = slice(start, start + LISTS_A_STEP)
            features, query = self._show(
                lists.user[some],
                ends[some],
                lists.moment_s[some],
                lists.row[some],
                lists.place[some],
            )
            yield Lists(
                user=lists.user[some],
                row=lists.row[some],
                features=features.numpy(),
                label=label[some],
                weight=real[some] * lists.weight[some, np.newaxis],
                query={name: values.numpy() for name, values in query.items()},
                wanted=label[some, :, -1].sum(axis=1),
            )

    def _excluded(self, had: np.ndarray, users: np.ndarray) -> np.ndarray:
        """Returns what each user had, int32 `[users, most]`, padded with NOTHING."""
        bounds = np.searchsorted(had, np.stack([users, users + 1]) * self._items)
        rows = [had[first:last] % self._items for first, last in bounds.T]
        splits = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        return padded(splits, np.concatenate(rows).astype(np.int32), NOTHING)


def _newest(inputs: dict[str, tf.Tensor], shown: tf.Tensor) -> dict[str, tf.Tensor]:
    """Leaves only so many of each query's last events."""
    newest = {}
    for name in HISTORY:
        events = inputs[name]
        from_behind = tf.range(tf.shape(events, tf.int64)[1], 0, -1)
        is_shown = from_behind <= shown[:, tf.newaxis]
        newest[name] = tf.where(is_shown, events, tf.zeros([], events.dtype))
    return {**inputs, **newest}


def _aligned(
    attended: dict[str, tf.Tensor], config: RankingConfig
) -> dict[str, tf.Tensor]:
    """Pads attended events in front, so that all batches have as many."""
    if config.target_attention is None:
        return attended
    length = config.target_attention.history
    padded = {}
    for name, events in attended.items():
        nothing = NOTHING if name == ATTENDED_ROW else 0
        more = [[0, 0], [length - tf.shape(events)[1], 0]]
        padded[name] = tf.pad(events, more, constant_values=nothing)
    return padded


_NOTHING_EXCLUDED = np.zeros((1, 0), np.int32)
