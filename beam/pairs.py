"""Counts in how many baskets two items meet, and ranks each item's partners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrs_app.contract.data_config import CoPurchasesConfig

BLOCK = 250_000
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
    """Holds pairs as parallel arrays, ascending by item and other item.

    `baskets`: how many hold both.
    """

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


def pair_counts(
    contents: Contents, items: range, catalogue: int, min_baskets: int
) -> Iterator[tuple[Pairs, int]]:
    """Yields the pairs of an item of a range with any other item, block by block.

    Args:
        contents: all baskets that hold an item of the range, perhaps others.
        items: the range of catalogue positions.
        catalogue: number of catalogue items, below 2 ** 31.
        min_baskets: joint baskets of a pair that is kept.

    Yields:
        Kept pairs, and the number of meetings that were counted to find them.
    """
    rows = np.flatnonzero((contents.item >= items.start) & (contents.item < items.stop))
    rows = rows[np.argsort(contents.item[rows], kind="stable")]
    item = contents.item[rows] - items.start
    size = np.diff(contents.starts)
    basket = np.repeat(np.arange(len(size)), size)[rows]
    start, size = contents.starts[basket], size[basket]
    ends = np.cumsum(np.bincount(item, minlength=len(items)))
    for first, last in _blocks(ends, size, max(_KEYS // catalogue, 1)):
        block = slice(ends[first - 1] if first else 0, ends[last - 1])
        local = item[block] - first
        counted = _count(contents.item, local, start[block], size[block], catalogue)
        kept = _frequent(counted, catalogue, min_baskets, first + items.start)
        yield kept, int(counted[1].sum()) - len(local)


def ranked(
    pairs: Pairs, item_baskets: Any, baskets: int, config: CoPurchasesConfig
) -> tuple[Pairs, Any]:
    """Returns each item's best partners, best first, and their lifts, float64 [pairs].

    The lift is observed over expected joint baskets, both with pseudo-counts: the mean
    of a gamma-Poisson model that shrinks rare pairs towards 1 (DuMouchel 1999,
    https://doi.org/10.1080/00031305.1999.10474456). Equal lifts stand by joint baskets,
    then by catalogue order.

    Args:
        pairs: all pairs of some items that may be kept.
        item_baskets: int64 [catalogue], baskets that hold each item.
        baskets: number of all baskets.
        config: how much to shrink and how many to keep.
    """
    expected = item_baskets[pairs.item] * item_baskets[pairs.other] / baskets
    lift = (pairs.baskets + config.shrinkage) / (expected + config.shrinkage)
    able = _among_top(pairs.item, lift, config.top)
    pairs, lift = pairs.take(able), lift[able]
    order = np.lexsort((-pairs.baskets, -lift, pairs.item))
    first = np.searchsorted(pairs.item, pairs.item)
    order = order[np.arange(len(order)) - first < config.top]
    return pairs.take(order), lift[order]


def _blocks(ends: Any, size: Any, most: int) -> Iterator[tuple[int, int]]:
    """Yields ranges of items, at most `most` and of about `BLOCK` meetings together."""
    cost = np.concatenate([[0], np.cumsum(size)])[ends]
    first = 0
    while first < len(ends):
        before = cost[first - 1] if first else 0
        within = int(np.searchsorted(cost, before + BLOCK, side="right"))
        last = min(max(within, first + 1), first + most)
        yield first, last
        first = last


def _count(
    contents: Any, local: Any, start: Any, size: Any, catalogue: int
) -> tuple[Any, Any]:
    """Returns keys `local item * catalogue + partner`, ascending, and their counts."""
    if size.sum() > BLOCK:
        return _count_one(contents, start, size, catalogue)
    keys = contents[_positions(start, size)].astype(np.int32)
    keys += np.repeat((local * catalogue).astype(np.int32), size)
    keys.sort()
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    places = np.flatnonzero(new)
    return keys[places], np.diff(places, append=len(keys))


def _count_one(contents: Any, start: Any, size: Any, catalogue: int) -> tuple[Any, Any]:
    """Does the same for one item that is in very many baskets, part by part."""
    counts = np.zeros(catalogue, dtype=np.int64)
    cuts = np.searchsorted(np.cumsum(size), np.arange(0, size.sum(), BLOCK))
    for first, last in zip(cuts, [*cuts[1:], len(size)], strict=True):
        part = _positions(start[first:last], size[first:last])
        counts += np.bincount(contents[part], minlength=catalogue)
    other = np.flatnonzero(counts)
    return other, counts[other]


def _positions(start: Any, size: Any) -> Any:
    """Returns start[0], start[0] + 1, ... for each (start, size), one after another."""
    ends = np.cumsum(size)
    return np.repeat(start - ends + size, size) + np.arange(size.sum())


def _frequent(
    counted: tuple[Any, Any], catalogue: int, min_baskets: int, first: int
) -> Pairs:
    """Returns the pairs of two items in enough baskets; `first` has local number 0."""
    keys, counts = counted
    enough = counts >= min_baskets
    keys = keys[enough]
    local = keys // catalogue  # with a multiplication faster than divmod
    other = (keys - local * catalogue).astype(np.int64)
    pairs = Pairs(local.astype(np.int64) + first, other, counts[enough])
    return pairs.take(pairs.item != pairs.other)


def _among_top(item: Any, lift: Any, top: int) -> Any:
    """Returns which pairs have one of the `top` lifts of their item, ties included."""
    able = np.ones(len(item), dtype=bool)
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    ends = np.append(starts[1:], len(item))
    many = ends - starts > top
    for start, end in zip(starts[many].tolist(), ends[many].tolist(), strict=True):
        lifts = lift[start:end]
        able[start:end] = lifts >= np.partition(lifts, -top)[-top]
    return able
