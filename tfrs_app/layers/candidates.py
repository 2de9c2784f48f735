"""Which items a batch is compared with, and how likely each of them was to be there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfrs_app.contract.retrieval_config import LogQ

SURE = 1e-6
"""No item is taken to be in fewer than this share of all batches, or to miss fewer."""


class BatchCandidates(NamedTuple):
    """Holds the items that all queries of a batch are compared with."""

    rows: tf.Tensor
    """int32 `[candidates]`, distinct catalogue rows."""
    column: tf.Tensor
    """int32 `[examples]`, where each example's target stands among them."""
    log_inclusion: tf.Tensor
    """`[candidates]`, log of the probability that a batch holds the item."""
    is_negative: tf.Tensor
    """bool `[candidates]`, False for one that is there as a target only."""


class Candidates(tf.Module):
    """Gathers a batch's candidates: its own targets and items drawn evenly.

    Args:
        items: size of the catalogue.
        drawn: items drawn evenly for each batch; if it is as many as there are, every
            batch is compared with the whole catalogue.
        in_batch: whether other queries' targets are negatives too.
        log_q: where their frequency is known from: `counts` of the training span, a
            `streaming` estimate, or `none`, which takes all candidates for equally
            likely.
        seed: of the draws.
    """

    def __init__(
        self, *, items: int, drawn: int, in_batch: bool, log_q: LogQ, seed: int
    ) -> None:
        super().__init__(name="candidates")
        self.items, self.in_batch, self.log_q = items, in_batch, log_q
        self.drawn = min(drawn, items)
        # Its state is a variable, so a resumed training draws what it would have drawn.
        self.random = tf.random.Generator.from_seed(seed)
        # log(1 - probability that a batch's targets hold the item)
        self.log_absence = tf.Variable(tf.zeros([items]), trainable=False)
        self.gap = StreamingGap(items) if log_q == "streaming" else None

    def expect(self, counts: np.ndarray, batch_size: int) -> None:
        """Sets how often items are targets, as if a batch were drawn independently.

        Args:
            counts: `[items]`, examples that have each item as their target.
            batch_size: examples a batch.
        """
        share = np.minimum(counts / max(counts.sum(), 1), 1 - SURE)
        self.log_absence.assign((batch_size * np.log1p(-share)).astype(np.float32))

    def __call__(self, target: tf.Tensor, training: bool = False) -> BatchCandidates:
        """Returns the candidates of a batch with these targets, int32 `[examples]`."""
        if self.drawn == self.items:
            whole = tf.range(self.items)
            everywhere = tf.ones([self.items], tf.bool)
            return BatchCandidates(whole, target, tf.zeros([self.items]), everywhere)
        drawn = self.random.uniform([self.drawn], maxval=self.items, dtype=tf.int32)
        rows, position = tf.unique(tf.concat([target, drawn], axis=0))
        examples = tf.shape(target)[0]
        column = position[:examples]
        if self.gap is not None and training:
            self.gap.saw(tf.unique(target).y)
        is_drawn = tf.scatter_nd(
            position[examples:, tf.newaxis], tf.ones([self.drawn]), tf.shape(rows)
        )
        is_negative = (is_drawn > 0) | self.in_batch
        return BatchCandidates(rows, column, self._log_inclusion(rows), is_negative)

    def _log_inclusion(self, rows: tf.Tensor) -> tf.Tensor:
        if self.log_q == "none":
            return tf.zeros(tf.shape(rows))
        log_absence = tf.fill(tf.shape(rows), self.drawn * math.log1p(-1 / self.items))
        if self.in_batch:
            log_absence += (
                tf.gather(self.log_absence, rows)
                if self.gap is None
                else tf.math.log1p(-self.gap.frequency(rows))
            )
        return tf.math.log(tf.maximum(-tf.math.expm1(log_absence), SURE))


class StreamingGap(tf.Module):
    """Estimates how many batches lie between two that hold an item.

    Source: Yi et al. 2019, https://doi.org/10.1145/3298689.3346996, algorithm 2.

    Args:
        items: size of the catalogue.
        rate: share of the newest gap in the estimate.
        start: the estimate for an item that has not come yet.
    """

    def __init__(self, items: int, rate: float = 0.05, start: float = 100.0) -> None:
        super().__init__(name="streaming_gap")
        self.rate = rate
        self._step = tf.Variable(0.0, trainable=False)
        self._last = tf.Variable(tf.zeros([items]), trainable=False)
        self._gap = tf.Variable(tf.fill([items], start), trainable=False)

    def saw(self, rows: tf.Tensor) -> None:
        """Counts a batch that holds the distinct `rows`, int `[n]`."""
        step = self._step.assign_add(1.0)
        newest = step - tf.gather(self._last, rows)
        gap = (1.0 - self.rate) * tf.gather(self._gap, rows) + self.rate * newest
        self._gap.scatter_update(tf.IndexedSlices(gap, rows))
        self._last.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(gap), step), rows))

    def frequency(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the estimated share of batches that hold each item, `[n]`."""
        share: tf.Tensor = 1.0 / tf.gather(self._gap, rows)
        return tf.clip_by_value(share, SURE, 1.0 - SURE)
