"""Nearest items of a query inside the SavedModel: ScaNN or an exact product."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import tensorflow as tf
from scann.scann_ops.py import scann_ops

from tfrs_app.contract.config import ExportConfig
from tfrs_app.contract.errors import ConfigError

SMALLEST_SCANN_CATALOGUE = 1000
"""Under this, training a partition tree makes no sense and exact search is faster."""
REORDER_FACTOR = 4
FEWEST_REORDERED = 100
"""Hashed scores order short lists badly; exact scores of so many candidates mend it."""
DIMENSIONS_PER_BLOCK = 2
ANISOTROPIC_THRESHOLD = 0.2


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
    """Multiplies with every item; made of core ops, so any TF Serving runs it."""

    def __init__(self, embeddings: tf.Variable) -> None:
        super().__init__(name="exact_index")
        self.embeddings = embeddings

    def search(
        self, queries: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the best `count` items of each query, without error."""
        scores = tf.linalg.matmul(queries, self.embeddings, transpose_b=True)
        best = tf.math.top_k(scores, count)
        return best.indices, best.values


class ScannIndex(tf.Module):
    """Partition tree, anisotropic hashing, exact reordering of the best.

    Only what ScaNN 1.2.9 knows is used (no SOAR, no bfloat16), because the newest
    published TF Serving image with ScaNN's ops carries that version. Source of the
    method: Guo et al. 2020, https://arxiv.org/abs/1908.10396.

    Args:
        embeddings: float32 `[items, dim]`.
        leaves_searched: share of the partitions that a query searches.
    """

    def __init__(self, embeddings: np.ndarray, leaves_searched: float) -> None:
        super().__init__(name="scann_index")
        items = len(embeddings)
        leaves = max(1, round(math.sqrt(items)))
        searcher = (
            scann_ops.builder(embeddings, 100, "dot_product")
            .tree(
                num_leaves=leaves,
                num_leaves_to_search=max(1, math.ceil(leaves * leaves_searched)),
                training_sample_size=min(items, 250_000),
            )
            .score_ah(
                DIMENSIONS_PER_BLOCK,
                anisotropic_quantization_threshold=ANISOTROPIC_THRESHOLD,
            )
            .reorder(FEWEST_REORDERED)
            .build()
        )
        self.state = searcher.serialize_to_module()

    def search(
        self, queries: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds nearly the best `count` items of each query."""
        searcher = scann_ops.searcher_from_module(self.state)
        rows, scores = searcher.search_batched(
            queries,
            final_num_neighbors=count,
            pre_reorder_num_neighbors=tf.maximum(
                count * REORDER_FACTOR, FEWEST_REORDERED
            ),
        )
        # Where the searched partitions hold fewer items ScaNN answers NaN.
        scores = tf.where(tf.math.is_nan(scores), -math.inf, scores)
        return rows, scores


def build_index(embeddings: tf.Variable, config: ExportConfig) -> Index:
    """Builds the configured index over item embeddings `[items, dim]`.

    Raises:
        ConfigError: the catalogue is too small for ScaNN.
    """
    if config.index == "exact":
        return ExactIndex(embeddings)
    items = embeddings.shape[0]
    if items < SMALLEST_SCANN_CATALOGUE:
        raise ConfigError(
            f"export.index: scann needs at least {SMALLEST_SCANN_CATALOGUE} items, the "
            f"catalogue has {items}; set export.index to exact"
        )
    return ScannIndex(embeddings.numpy(), config.scann_leaves_searched)


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
