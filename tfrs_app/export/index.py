"""Nearest items of a query inside the SavedModel: ScaNN or an exact product."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import tensorflow as tf
from scann.scann_ops.py import scann_ops

MOST_SAMPLED = 250_000
"""Items that a partition tree is trained on, at most."""
AVQ = 1.5
"""How much more an error along an item counts than one across it."""
ITERATIONS = 8
SMALLEST_PARTITION = 1
"""Popular items are few and unlike the rest; every query asks their partitions."""


class Index(Protocol):
    """Finds the items with the largest dot product."""

    def search(
        self, queries: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the best `count` items of each query.

        Args:
            queries: float32 `[batch, dim]`.
            count: int32 scalar, at most the number of items.

        Returns:
            Catalogue rows, int32 `[batch, n]`, and scores, float32 `[batch, n]`, best
            first; n may be less than `count`, and a score of -inf marks no item.
        """


class ExactIndex(tf.Module):
    """Multiplies with every item; made of core ops, so any TF Serving runs it.

    Args:
        embeddings: float32 `[items, dim]`.
        listed: bool `[items]`, False for what is never found; None: all are listed.
    """

    def __init__(
        self, embeddings: tf.Variable, listed: np.ndarray | None = None
    ) -> None:
        super().__init__(name="exact_index")
        self.embeddings = embeddings
        self.gone = None
        if listed is not None and not listed.all():
            self.gone = tf.constant(~listed)

    def search(
        self,
        queries: tf.Tensor,
        count: tf.Tensor,
        forbidden: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the best `count` items of each query, without error.

        Args:
            queries: float32 `[batch, dim]`.
            count: int32 scalar, at most the number of items.
            forbidden: bool `[batch, items]`, what gets the score -inf, or None.

        Returns:
            Catalogue rows and scores, `[batch, count]`, best first.
        """
        scores = tf.linalg.matmul(queries, self.embeddings, transpose_b=True)
        if self.gone is not None:
            scores = tf.where(self.gone, -math.inf, scores)
        if forbidden is not None:
            scores = tf.where(forbidden, -math.inf, scores)
        best = tf.math.top_k(scores, count)
        return best.indices, best.values


class TrainedScann(tf.Module):
    """Holds a partition tree of item embeddings.

    Its centres are trained for dot products: towers give popular items norms many times
    those of the rest, and centres trained for distances hide them among the rest.
    Items are scored exactly, not by hashes: where norms differ that much, hashes
    lose far more than they save (docs/serving.md). Only what ScaNN 1.2.9 knows is
    used (no SOAR, no bfloat16), because the newest published TF Serving image with
    ScaNN's ops carries that version. Source of the method: Guo et al. 2020,
    https://arxiv.org/abs/1908.10396.

    Args:
        embeddings: float32 `[items, dim]`.
        listed: bool `[items]`, False for what is never found; None: all are listed.
    """

    def __init__(
        self, embeddings: np.ndarray, listed: np.ndarray | None = None
    ) -> None:
        super().__init__(name="trained_scann")
        self.row = None
        if listed is not None and not listed.all():
            self.row = tf.constant(np.flatnonzero(listed), tf.int32)
            embeddings = embeddings[listed]
        items = len(embeddings)
        self.leaves = max(1, round(math.sqrt(items)))
        searcher = (
            scann_ops.builder(embeddings, 1, "dot_product")
            .tree(
                num_leaves=self.leaves,
                num_leaves_to_search=self.leaves,
                training_sample_size=min(items, MOST_SAMPLED),
                min_partition_size=SMALLEST_PARTITION,
                training_iterations=ITERATIONS,
                avq=AVQ,
            )
            .score_brute_force()
            .build()
        )
        self.state = searcher.serialize_to_module()


class ScannIndex(tf.Module):
    """Searches some partitions, exactly.

    Args:
        trained: of the item embeddings.
        leaves_searched: share of the partitions that a query searches.
    """

    def __init__(self, trained: TrainedScann, leaves_searched: float) -> None:
        super().__init__(name="scann_index")
        self.trained = trained
        self.leaves_searched = max(1, math.ceil(trained.leaves * leaves_searched))

    def search(
        self, queries: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds nearly the best `count` items of each query."""
        searcher = scann_ops.searcher_from_module(self.trained.state)
        rows, scores = searcher.search_batched(
            queries, final_num_neighbors=count, leaves_to_search=self.leaves_searched
        )
        # Where the searched partitions hold fewer items ScaNN answers NaN.
        scores = tf.where(tf.math.is_nan(scores), -math.inf, scores)
        if self.trained.row is not None:
            rows = tf.gather(self.trained.row, tf.maximum(rows, 0))
        return rows, scores


def best_allowed(
    rows: tf.Tensor, scores: tf.Tensor, excluded: tf.Tensor, width: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Drops excluded items from found ones and keeps the best `width` of the rest.

    Args:
        rows: int32 `[batch, n]`, catalogue rows.
        scores: float32 `[batch, n]`.
        excluded: int32 `[batch, e]`, catalogue rows; -1 excludes nothing.
        width: int32 scalar.

    Returns:
        Rows and scores `[batch, width]`, best first; -inf where nothing is left.
    """
    forbidden = tf.reduce_any(
        rows[:, :, tf.newaxis] == excluded[:, tf.newaxis, :], axis=2
    )
    scores = tf.where(forbidden, -math.inf, scores)
    missing = tf.maximum(width - tf.shape(scores)[1], 0)
    scores = tf.pad(scores, [[0, 0], [0, missing]], constant_values=-math.inf)
    best = tf.math.top_k(scores, width)
    padded_rows = tf.pad(rows, [[0, 0], [0, missing]])
    return tf.gather(padded_rows, best.indices, batch_dims=1), best.values


def number_of_distinct(rows: tf.Tensor) -> tf.Tensor:
    """Counts the different non-negative numbers in each row, int32 `[batch]`."""
    ordered = tf.sort(rows, axis=1)
    padded = tf.pad(ordered, [[0, 0], [1, 0]], constant_values=-1)
    steps = (padded[:, 1:] != padded[:, :-1]) & (padded[:, 1:] >= 0)
    return tf.reduce_sum(tf.cast(steps, tf.int32), axis=1)
