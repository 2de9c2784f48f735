"""Who proposes candidates: towers, own history, partners, the popular, the new."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfrs_app.contract.ranking_config import SOURCES, SourcesConfig
from tfrs_app.layers.grouping import NOTHING, grouped
from tfrs_app.layers.history import Histories
from tfrs_app.models.item_state import ItemState

RECENT_EVENTS = 30
"""Of the history, those whose partners are proposed."""
HALF_LIFE_DAYS = 28.0
"""Age at which an event counts half where own items and partners are proposed."""
POPULAR_LOOKED_AT = 10
"""Popular items that are looked at for each that is wanted: some are not allowed."""

PROPOSED = "proposed"
"""Where candidates are told by name: which sources proposed each."""

Search = Callable[[tf.Tensor, int], tf.Tensor]
"""Queries `[batch, width]` and the least count to the nearest allowed catalogue rows
`[batch, n]`; NOTHING where there are no more."""
Allow = Callable[[tf.Tensor], tf.Tensor]
"""Catalogue rows `[batch, n]` to what a request allows of them, bool `[batch, n]`."""


class Candidates(NamedTuple):
    """Holds the distinct candidates of each query."""

    row: tf.Tensor
    """int32 `[batch, n]`, catalogue rows; NOTHING behind the last."""
    proposed: tf.Tensor
    """float32 `[batch, n, sources]`, 1 where a source proposed the candidate."""
    together: tf.Tensor
    """float32 `[batch, n]`, how strongly recent events ask for the candidate."""


class CandidateSources(tf.Module):
    """Asks every source and merges what they propose.

    Args:
        state: of the items.
        sizes: candidates a source.
        type_weights: how much an event counts, by index of its type.
    """

    def __init__(
        self, state: ItemState, sizes: SourcesConfig, type_weights: list[float]
    ) -> None:
        super().__init__(name="candidate_sources")
        self.state, self.sizes = state, sizes
        self.type_weights = type_weights

    def __call__(
        self, query: tf.Tensor, histories: Histories, search: Search, allow: Allow
    ) -> Candidates:
        """Returns the candidates of queries.

        Args:
            query: embeddings, `[batch, width]`.
            histories: whose `vectors` are not read.
            search: finds the nearest allowed items.
            allow: tells which of other sources' items are allowed.
        """
        row = tf.gather(self.state.row, histories.index)  # [batch, length]
        weight = self._weight(histories)
        partners, strength = self.partners(histories)
        own = grouped(row, weight[..., tf.newaxis])
        proposals = {
            "two_tower": search(query, self.sizes.two_tower),
            "repeat": _best(own.key, own.total[..., 0], self.sizes.repeat, allow),
            "bought_together": _best(
                partners, strength, self.sizes.bought_together, allow
            ),
            "popular": self._popular(tf.shape(query)[0], allow),
            "new": self._new(query, allow),
        }
        return self._merged(proposals, partners, strength)

    def _weight(self, histories: Histories) -> tf.Tensor:
        """Returns how much each event counts, `[batch, length]`."""
        types = tf.gather(tf.constant(self.type_weights), histories.event_type)
        age = tf.maximum(histories.age_days, 0.0)
        return types * histories.real * tf.exp(-math.log(2) / HALF_LIFE_DAYS * age)

    def partners(self, histories: Histories) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns partners of recent events and how strongly they are asked for.

        Two `[batch, n]`: catalogue rows, distinct, and sums of log lifts.
        """
        row = tf.gather(self.state.row, histories.index[:, -RECENT_EVENTS:])
        return self.state.partners_of(row, self._weight(histories)[:, -RECENT_EVENTS:])

    def _popular(self, batch: tf.Tensor, allow: Allow) -> tf.Tensor:
        looked_at = min(self.sizes.popular * POPULAR_LOOKED_AT, self.state.items)
        row = self.state.popular[:looked_at]
        row = tf.broadcast_to(row, [batch, looked_at])
        order = tf.broadcast_to(-tf.range(looked_at, dtype=tf.float32), tf.shape(row))
        return _best(row, order, self.sizes.popular, allow)

    def _new(self, query: tf.Tensor, allow: Allow) -> tf.Tensor:
        if not self.sizes.new:
            return tf.zeros([tf.shape(query)[0], 0], tf.int32)
        row = self.state.new
        vectors = tf.gather(self.state.embeddings, row)
        score = tf.matmul(query, vectors, transpose_b=True)
        return _best(
            tf.broadcast_to(row, tf.shape(score)), score, self.sizes.new, allow
        )

    def _merged(
        self,
        proposals: dict[str, tf.Tensor],
        partners: tf.Tensor,
        strength: tf.Tensor,
    ) -> Candidates:
        """Brings equal rows together; partners not proposed only lend strength."""
        keys = [*proposals.values(), partners]
        flags = [
            tf.broadcast_to(
                tf.one_hot(SOURCES.index(name), len(SOURCES) + 1),
                [*tf.unstack(tf.shape(row)), len(SOURCES) + 1],
            )
            for name, row in proposals.items()
        ]
        lent = tf.pad(strength[..., tf.newaxis], [[0, 0], [0, 0], [len(SOURCES), 0]])
        merged = grouped(tf.concat(keys, axis=1), tf.concat([*flags, lent], axis=1))
        proposed = merged.total[..., :-1]
        found = tf.reduce_any(proposed > 0, axis=-1) & (merged.key != NOTHING)
        most = tf.reduce_sum(tf.cast(found, tf.int32), axis=1)
        # Never shorter than the towers' list, which is as long as a request's.
        places = tf.maximum(
            tf.reduce_max(tf.pad(most, [[0, 1]])), tf.shape(proposals["two_tower"])[1]
        )
        first = tf.math.top_k(tf.cast(found, tf.int32), places)
        row = tf.gather(merged.key, first.indices, batch_dims=1)
        return Candidates(
            row=tf.where(first.values > 0, row, NOTHING),
            proposed=tf.gather(proposed, first.indices, batch_dims=1),
            together=tf.gather(merged.total[..., -1], first.indices, batch_dims=1),
        )


def _best(row: tf.Tensor, score: tf.Tensor, count: int, allow: Allow) -> tf.Tensor:
    """Returns the allowed rows with the best scores, NOTHING behind the last."""
    allowed = (row != NOTHING) & allow(row)
    score = tf.where(allowed, score, -math.inf)
    best = tf.math.top_k(score, tf.minimum(count, tf.shape(score)[1]))
    chosen = tf.gather(row, best.indices, batch_dims=1)
    return tf.where(best.values > -math.inf, chosen, NOTHING)


def allowed_by(barred: tf.Tensor) -> Allow:
    """Returns what allows all but some rows.

    Args:
        barred: bool `[batch, items]`.
    """
    return lambda row: ~tf.gather(barred, tf.maximum(row, 0), batch_dims=1)
