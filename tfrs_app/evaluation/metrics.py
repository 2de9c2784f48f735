"""Recall and NDCG of ranked lists, averaged over users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def hits_of(
    lists: np.ndarray, target_splits: np.ndarray, target_item: np.ndarray
) -> np.ndarray:
    """Returns which listed items are targets, bool `[users, k]`.

    Args:
        lists: int `[users, k]`, best first, without doubles; -1 where a list is short.
        target_splits: int `[users + 1]`, bounds of each user's targets.
        target_item: int `[targets]`, distinct within a user.
    """
    users = len(lists)
    base = int(max(lists.max(initial=0), target_item.max(initial=0))) + 1
    owner = np.repeat(np.arange(users), np.diff(target_splits))
    key = np.arange(users)[:, np.newaxis] * base + lists
    hits: np.ndarray = np.isin(key, owner * base + target_item) & (lists >= 0)
    return hits


def recall_at(k: int, hits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the share of each user's targets among the first k, `[users]`."""
    recall: np.ndarray = hits[:, :k].sum(axis=1) / targets
    return recall


def ndcg_at(k: int, hits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the normalised discounted cumulative gain of the first k, `[users]`.

    Gains are binary; the ideal list starts with min(k, targets) hits. Source: Järvelin
    and Kekäläinen 2002, https://doi.org/10.1145/582415.582418.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    listed = hits[:, :k]
    gain = listed @ discount[: listed.shape[1]]
    ideal = np.cumsum(discount)[np.minimum(targets, k) - 1]
    ndcg: np.ndarray = gain / ideal
    return ndcg


def mean_metrics(
    hits: np.ndarray, targets: np.ndarray, ks: Sequence[int]
) -> dict[str, float]:
    """Returns `recall@k` and `ndcg@k` for every k, averaged over users; 0 for none."""
    if not len(targets):
        return {f"{name}@{k}": 0.0 for name in ("recall", "ndcg") for k in ks}
    recall = {f"recall@{k}": float(recall_at(k, hits, targets).mean()) for k in ks}
    ndcg = {f"ndcg@{k}": float(ndcg_at(k, hits, targets).mean()) for k in ks}
    return recall | ndcg
