"""What the lists of all users hold together: coverage, novelty, diversity, exposure."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

POPULARITY_SHARES = 10
"""Parts of the exposure histogram."""


def exposure_of(lists: np.ndarray, items: int) -> np.ndarray:
    """Returns how many lists hold each item, int64 `[items]`; -1 is no item."""
    exposure: np.ndarray = np.bincount(lists[lists >= 0], minlength=items)
    return exposure


def coverage(exposure: np.ndarray) -> float:
    """Returns the share of the catalogue that is in any list."""
    return float((exposure > 0).mean())


def gini(exposure: np.ndarray) -> float:
    """Returns the inequality of exposure: 0 all items alike, near 1 one item only."""
    total = exposure.sum()
    if not total:
        return 0.0
    items = len(exposure)
    rank = np.arange(1, items + 1)
    ordered = np.sort(exposure)
    return float(((2 * rank - items - 1) * ordered).sum() / (items * total))


def novelty(lists: np.ndarray, users_an_item: np.ndarray, users: int) -> float:
    """Returns the mean of -log2 of the share of users who had a listed item.

    One user is added to both counts, so that an item nobody had is finitely novel.
    Source: Vargas and Castells 2011, https://doi.org/10.1145/2043932.2043955.
    """
    listed = lists[lists >= 0]
    share = (users_an_item[listed] + 1) / (users + 1)
    return float(-np.log2(share).mean()) if len(listed) else 0.0


def diversity(lists: np.ndarray, content: sp.csr_matrix) -> float:
    """Returns 1 - the mean cosine of the pairs in a list, averaged over lists.

    Lists of fewer than two items are left out.

    Args:
        lists: int `[users, k]`, -1 is no item.
        content: `[items, terms]`, rows of length 1 or 0; 0 is unlike everything.
    """
    owner, _ = np.nonzero(lists >= 0)
    item = lists[lists >= 0]
    shape = (len(lists), content.shape[0])
    members = sp.csr_matrix((np.ones(len(item), np.float32), (owner, item)), shape)
    squares = np.asarray(content.multiply(content).sum(axis=1)).ravel()
    summed = members @ content
    # The square of the sum holds each pair twice, and each item with itself.
    both = np.asarray(summed.multiply(summed).sum(axis=1)).ravel() - members @ squares
    size = np.bincount(owner, minlength=len(lists))
    several = size > 1
    pairs = size[several] * (size[several] - 1)
    return float(1 - (both[several] / pairs).mean()) if several.any() else 0.0


def popularity_bins(users_an_item: np.ndarray) -> np.ndarray:
    """Returns the bin of each item, int64 `[items]`: 0 holds the most popular.

    Bins hold equal shares of all (user, item) pairs, so the first holds few items;
    what nobody had is in the last.
    """
    order = np.argsort(-users_an_item, kind="stable")
    before = np.cumsum(users_an_item[order]) - users_an_item[order]
    total = max(int(users_an_item.sum()), 1)
    bins = np.full(len(order), POPULARITY_SHARES - 1)
    share = before * POPULARITY_SHARES // total
    bins[order] = np.where(users_an_item[order] > 0, share, POPULARITY_SHARES - 1)
    return bins


def exposure_by_popularity(exposure: np.ndarray, bins: np.ndarray) -> list[float]:
    """Returns the share of all list entries that fall into each popularity bin."""
    counted = np.bincount(bins, exposure, minlength=POPULARITY_SHARES)
    return [float(share) for share in counted / max(exposure.sum(), 1)]
