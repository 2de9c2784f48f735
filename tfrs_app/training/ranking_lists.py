"""Training lists for the ranker: what the funnel would have proposed, and what came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

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
from tfrs_app.models.ranking import ATTENDED_ROW, FEATURES, ROW, VECTORS
from tfrs_app.progress import counted

HISTORY = (HISTORY_ITEM_ID, HISTORY_EVENT_TYPE, HISTORY_TIMESTAMP)
EVERYTHING = np.iinfo(np.int64).max
"""Events that a list shows of whom nothing is hidden."""
LISTS_A_STEP = 32
LISTS_AT_ONCE = 128
"""That are scored together."""


@dataclass(frozen=True)
class Lists:
    """Holds candidates, what they look like, and what became of them.

    Args:
        user: int64 `[lists]`.
        row: int32 `[lists, n]`, catalogue rows; NOTHING behind the last.
        features: float16 `[lists, n, columns]`.
        label: bool `[lists, n, tasks]`.
        weight: float32 `[lists, n]`, how many candidates each stands for; 0: none.
        query: profile and context `[lists]` each; with target attention the events
            that it weighs `[lists, length]`, padded in front.
        wanted: int64 `[lists]`, items that the weightiest event happened to, whether
            they were proposed or not.
    """

    user: np.ndarray
    row: np.ndarray
    features: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    query: dict[str, np.ndarray]
    wanted: np.ndarray

    def inputs(self, lists: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the ranker's inputs for some lists, `[len(lists), ...]`."""
        query = {name: values[lists] for name, values in self.query.items()}
        return {
            ROW: self.row[lists],
            FEATURES: self.features[lists].astype(np.float32),
            **query,
        }

    def of(self, kept: np.ndarray) -> Lists:
        """Returns some of the lists.

        Args:
            kept: bool or int, an index of the lists.
        """
        query = {name: values[kept] for name, values in self.query.items()}
        return Lists(
            user=self.user[kept],
            row=self.row[kept],
            features=self.features[kept],
            label=self.label[kept],
            weight=self.weight[kept],
            query=query,
            wanted=self.wanted[kept],
        )

    @staticmethod
    def joined(parts: list[Lists]) -> Lists:
        """Returns all lists of several parts, padded to one length."""
        longest = max(part.row.shape[1] for part in parts)
        padded = [part._padded(longest) for part in parts]

        def column(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in padded])

        return Lists(
            user=column("user"),
            row=column("row"),
            features=column("features"),
            label=column("label"),
            weight=column("weight"),
            query={
                name: np.concatenate([part.query[name] for part in padded])
                for name in padded[0].query
            },
            wanted=column("wanted"),
        )

    def _padded(self, length: int) -> Lists:
        more = [(0, 0), (0, length - self.row.shape[1])]
        return replace(
            self,
            row=np.pad(self.row, more, constant_values=NOTHING),
            features=np.pad(self.features, [*more, (0, 0)]),
            label=np.pad(self.label, [*more, (0, 0)]),
            weight=np.pad(self.weight, more),
        )

    def thinned(self, negatives: int, random: np.random.Generator) -> Lists:
        """Leaves out candidates that nothing happened to; those left count for them.

        Args:
            negatives: kept in each list, drawn evenly.
            random: draws them.
        """
        happened = self.label.any(axis=2)
        real = self.row != NOTHING
        draw = np.where(real & ~happened, random.random(self.row.shape), np.inf)
        kept = happened | (np.argsort(np.argsort(draw, axis=1), axis=1) < negatives)
        kept &= real
        before, after = (real & ~happened).sum(axis=1), (kept & ~happened).sum(axis=1)
        factor = np.divide(before, after, where=after > 0, out=np.ones(len(before)))
        weight = self.weight * np.where(happened, 1.0, factor[:, np.newaxis]) * kept
        # Those kept come to the front.
        longest = kept.sum(axis=1).max(initial=0)
        order = np.argsort(~kept, axis=1, kind="stable")[:, :longest]
        place = np.arange(len(order))[:, np.newaxis]
        return replace(
            self,
            row=np.where(kept, self.row, NOTHING)[place, order],
            features=self.features[place, order],
            label=self.label[place, order],
            weight=weight[place, order].astype(np.float32),
        )


def logits_of(
    model: Callable[[dict[str, Any]], tf.Tensor], lists: Lists, vectors: np.ndarray
) -> np.ndarray:
    """Returns a ranker's logits of lists, float32 `[lists, n, tasks]`.

    Args:
        model: the ranker.
        lists: whose candidates are judged.
        vectors: of the items, as the ranker's input `VECTORS`.
    """
    told = {VECTORS: tf.constant(vectors)}
    places = np.arange(len(lists.user))
    steps = np.array_split(places, max(1, len(places) // LISTS_AT_ONCE))
    return np.concatenate([model({**told, **lists.inputs(some)}) for some in steps])


class ListMaker:
    """Runs the funnel's own sources as of a moment.

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
        label = np.stack([self._soon(lists, task) for task in self._tasks], axis=-1)
        real = lists.row != NOTHING
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

    def _soon(self, lists: ShownLists, task: int) -> np.ndarray:
        """Returns to what an event of a type happens in time, bool `[lists, n]`."""
        log, within_s = self._log, lists.within_s
        if not len(lists.user):
            return np.zeros(lists.row.shape, bool)
        first, last = lists.moment_s.min(), lists.moment_s.max() + within_s
        some = log.span(first, last) & (log.event_type == task)
        happened, pair = np.unique(
            (log.user * self._items + log.item)[some], return_inverse=True
        )
        seconds = last - first + 1
        events = np.sort(pair * seconds + log.timestamp[some] - first)
        events = np.append(events, np.iinfo(np.int64).max)
        key = lists.user[:, np.newaxis] * self._items + lists.row
        place = np.searchsorted(happened, key)
        known = np.append(happened, -1)[place] == key
        asked = place * seconds + (lists.moment_s - first)[:, np.newaxis]
        following = events[np.searchsorted(events, asked)]
        soon = following < asked + within_s
        told: np.ndarray = soon & known & (lists.row != NOTHING)
        return told

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
