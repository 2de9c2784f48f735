"""How good each user's ranked list is: recall, NDCG, MRR, MAP and hit rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def map_at(k: int, hits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the average precision of the first k, `[users]`.

    The precision at each hit, summed and divided by min(k, targets): a perfect list
    has 1. Its mean over users is MAP.
    """
    listed = hits[:, :k]
    precision = np.cumsum(listed, axis=1) / np.arange(1, listed.shape[1] + 1)
    average: np.ndarray = (precision * listed).sum(axis=1) / np.minimum(targets, k)
    return average


def hit_at(k: int, hits: np.ndarray) -> np.ndarray:
    """Returns 1 where any of the first k is a target, else 0, float64 `[users]`."""
    return np.asarray(hits[:, :k].any(axis=1), np.float64)


def reciprocal_rank(hits: np.ndarray) -> np.ndarray:
    """Returns 1 / rank of each list's first hit, 0 without one, `[users]`."""
    if not hits.shape[1]:
        return np.zeros(len(hits))
    rank = hits.argmax(axis=1) + 1
    reciprocal: np.ndarray = hits.any(axis=1) / rank
    return reciprocal


def user_metrics(
    hits: np.ndarray, targets: np.ndarray, ks: Sequence[int]
) -> dict[str, np.ndarray]:
    """Returns every metric of every user, float64 `[users]` each.

    Args:
        hits: bool `[users, longest]`; the reciprocal rank takes the whole list.
        targets: int `[users]`, number of targets, at least 1.
        ks: the cut-offs.
    """
    found = {f"recall@{k}": recall_at(k, hits, targets) for k in ks}
    found |= {f"ndcg@{k}": ndcg_at(k, hits, targets) for k in ks}
    found |= {f"map@{k}": map_at(k, hits, targets) for k in ks}
    found |= {f"hit_rate@{k}": hit_at(k, hits) for k in ks}
    return found | {"mrr": reciprocal_rank(hits)}


def mean_of(metrics: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns the mean over users of each metric; 0 for nobody."""
    return {
        name: float(values.mean()) if len(values) else 0.0
        for name, values in metrics.items()
    }
