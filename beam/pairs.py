"""Counts in how many baskets two items meet, and ranks each item's partners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrs_app.contract.config import CoPurchasesConfig

BLOCK = 1_000_000
"""Meetings of two items that are counted at once: bounds memory, fits caches."""
_KEYS = 2**31


@dataclass(frozen=True)
class Contents:
    """Holds baskets one after the other: basket b is item[starts[b] : starts[b + 1]].

    `item`: catalogue positions [rows], distinct within a basket. `starts`: int64
    [baskets + 1].
    """

    item: Any
    starts: Any


@dataclass(frozen=True)
class Pairs:
    """Holds pairs as parallel arrays; `baskets` is how many hold both items."""

    item: Any
    other: Any
    baskets: Any

    def take(self, places: Any) -> Pairs:
        """Returns the chosen pairs."""
        return Pairs(self.item[places], self.other[places], self.baskets[places])


def meetings(contents: Contents) -> Any:
    """Returns int64 [rows]: how many other items the basket of each row holds."""
    size = np.diff(contents.starts)
    return np.repeat(size - 1, size)


def pair_counts(contents: Contents, items: range, catalogue: int) -> Iterator[Pairs]:
    """Yields every pair of an item of a range with any other item, block by block.

    Pairs ascend by item and other item.

    Args:
        contents: all baskets that hold an item of the range, perhaps others.
        items: the range of catalogue positions.
        catalogue: number of catalogue items, below 2 ** 31.
    """
    rows = np.flatnonzero((contents.item >= items.start) & (contents.item < items.stop))
    rows = rows[np.argsort(contents.item[rows], kind="stable")]
    item = contents.item[rows] - items.start
    basket = np.searchsorted(contents.starts, rows, side="right") - 1
    start, size = contents.starts[basket], np.diff(contents.starts)[basket]
    ends = np.cumsum(np.bincount(item, minlength=len(items)))
    cost = np.concatenate([[0], np.cumsum(size)])
    most = max(_KEYS // catalogue, 1)
    first = 0
    while first < len(items):
        begin = ends[first - 1] if first else 0
        within = np.searchsorted(cost[ends], cost[begin] + BLOCK, side="right")
        last = min(max(int(within), first + 1), first + most, len(items))
        block = slice(begin, ends[last - 1])
        local = item[block] - first
        counted = _count(contents.item, local, start[block], size[block], catalogue)
        yield _without_self(counted, first + items.start)
        first = last


def ranked(
    pairs: Pairs, item_baskets: Any, baskets: int, config: CoPurchasesConfig
) -> tuple[Pairs, Any]:
    """Returns the kept pairs, best first within each item, and their lifts, float64.

    The lift is observed over expected joint baskets, both with pseudo-counts: the mean
    of a gamma-Poisson model that shrinks rare pairs towards 1 (DuMouchel 1999,
    https://doi.org/10.1080/00031305.1999.10474456). Equal lifts stand by joint baskets,
    then by catalogue order.

    Args:
        pairs: all pairs of some items, ascending by item and other item.
        item_baskets: int64 [catalogue], baskets that hold each item.
        baskets: number of all baskets.
        config: which to keep.
    """
    pairs = pairs.take(pairs.baskets >= config.min_baskets)
    expected = item_baskets[pairs.item] * item_baskets[pairs.other] / baskets
    lift = (pairs.baskets + config.shrinkage) / (expected + config.shrinkage)
    order = np.lexsort((-pairs.baskets, -lift, pairs.item))
    first = np.searchsorted(pairs.item, pairs.item)
    order = order[np.arange(len(order)) - first < config.top]
    return pairs.take(order), lift[order]


def _count(contents: Any, local: Any, start: Any, size: Any, catalogue: int) -> Pairs:
    """Counts the partners of some items, local numbers ascending from 0."""
    if size.sum() > BLOCK:
        return _count_one(contents, start, size, catalogue)
    keys = contents[_positions(start, size)].astype(np.int32)
    keys += np.repeat((local * catalogue).astype(np.int32), size)
    keys.sort()
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    places = np.flatnonzero(new)
    counts = np.diff(places, append=len(keys))
    item, other = np.divmod(keys[places].astype(np.int64), catalogue)
    return Pairs(item, other, counts)


def _count_one(contents: Any, start: Any, size: Any, catalogue: int) -> Pairs:
    """Counts the partners of one item that is in very many baskets, part by part."""
    counts = np.zeros(catalogue, dtype=np.int64)
    cuts = np.searchsorted(np.cumsum(size), np.arange(0, size.sum(), BLOCK))
    for first, last in zip(cuts, [*cuts[1:], len(size)], strict=True):
        part = _positions(start[first:last], size[first:last])
        counts += np.bincount(contents[part], minlength=catalogue)
    other = np.flatnonzero(counts)
    return Pairs(np.zeros(len(other), dtype=np.int64), other, counts[other])


def _positions(start: Any, size: Any) -> Any:
    """Returns start[0], start[0] + 1, ... for each (start, size), one after another."""
    ends = np.cumsum(size)
    return np.repeat(start - ends + size, size) + np.arange(size.sum())


def _without_self(pairs: Pairs, first: int) -> Pairs:
    """Returns the pairs of two items, with local numbers turned into positions."""
    item = pairs.item + first
    return Pairs(item, pairs.other, pairs.baskets).take(item != pairs.other)
