"""Larger catalogues than a shop has, in the same space and with the same queries.

A shop's item embeddings lie in clumps, and their norms differ by two orders of
magnitude; neither evenly drawn nor normal vectors search like them. So all of the
shop's items are kept, and further ones are drawn between an item and one of its
nearest neighbours, evenly along the line (SMOTE, Chawla et al. 2002,
https://arxiv.org/abs/1106.1813). Queries are the shop's own.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

NEIGHBOURS = 10
ROWS_AT_ONCE = 512


def rotated(
    queries: np.ndarray, items: np.ndarray, dim: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns both in their `dim` joint principal directions, float32 `[n, dim]`.

    Products change only by what the directions that are dropped add to them.

    Args:
        queries: float32 `[queries, width]`.
        items: float32 `[items, width]`, width at least dim.
        dim: directions kept.
    """
    moments = [part.T @ part / len(part) for part in (queries, items)]
    _, directions = np.linalg.eigh(sum(m / np.trace(m) for m in moments))
    kept = np.ascontiguousarray(directions[:, ::-1][:, :dim], np.float32)
    return queries @ kept, items @ kept


def grown(items: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Returns the items and further ones among them, float32 `[count, dim]`.

    Args:
        items: float32 `[items, dim]`, at most count.
        count: wanted.
        seed: draws the further ones.
    """
    random = np.random.default_rng(seed)
    first = np.sort(random.integers(len(items), size=count - len(items)))
    some, place = np.unique(first, return_inverse=True)
    others = nearest(items, some)[place, random.integers(NEIGHBOURS, size=len(first))]
    step = random.random([len(first), 1], np.float32)
    more = items[first] + step * (items[others] - items[first])
    together = np.concatenate([items, more])
    return np.ascontiguousarray(together[random.permutation(count)])


def nearest(items: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Returns the nearest other items by distance, int `[len(some), NEIGHBOURS]`.

    Args:
        items: float32 `[items, dim]`.
        some: rows of them.
    """
    half_square = np.square(items).sum(axis=1) / 2
    found = []
    for start in range(0, len(some), ROWS_AT_ONCE):
        asked = some[start : start + ROWS_AT_ONCE]
        near = items[asked] @ items.T - half_square
        near[np.arange(len(asked)), asked] = -np.inf
        found.append(tf.math.top_k(near, NEIGHBOURS).indices.numpy())
    return np.concatenate(found)
