"""Sorts by many columns at once: keys packed into few integers, ties looked at last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_WORD_BITS = 63


def ranked(texts: Any) -> tuple[Any, Any]:
    """Returns int64 [rows], the rank of each text by bytes, and the distinct texts.

    Null has rank -1; the distinct texts ascend.
    """
    encoded = texts.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order.to_numpy()] = np.arange(len(order))
    ranks = pa.array(rank).take(encoded.indices)
    return ranks.fill_null(-1).to_numpy(), encoded.dictionary.take(order)


def number_key(numbers: Any) -> Any:
    """Returns int64 [rows] that order as float32 numbers do, NaN last.

    The bits of a float order as an integer, but for negative ones, whose magnitude
    they are. There is one zero and one NaN among clean numbers.
    """
    bits = numbers.view(np.int32)
    return np.where(bits < 0, bits ^ 0x7FFFFFFF, bits).astype(np.int64)


def integer_key(numbers: Any) -> Any:
    """Returns integers as int64."""
    return numbers.astype(np.int64)


def distinct_sorted(values: Any) -> Any:
    """Returns the distinct ones of some numbers, ascending.

    `numpy.unique` hashes integers, in NumPy 2.4 many times slower than this sort.
    """
    values = np.sort(values)
    return values[np.append(~_equal_to_next(values), True)[: len(values)]]


def distinct_order(keys: Sequence[Any]) -> Any:
    """Returns the rows in the order of int64 keys, the first one deciding first.

    Of rows that are equal in all keys one stays.
    """
    words = _packed(keys)
    order = np.argsort(words[0])
    tied = _equal_to_next(words[0][order])
    rows = np.flatnonzero(np.append(tied, False) | np.append([False], tied))
    if not len(rows):
        return order
    among = order[rows]
    among = among[np.lexsort([word[among] for word in reversed(words)])]
    order[rows] = among
    repeated = np.ones(max(len(among) - 1, 0), dtype=bool)
    for word in words:
        repeated &= _equal_to_next(word[among])
    return np.delete(order, rows[1:][repeated])


def _packed(keys: Sequence[Any]) -> list[Any]:
    """Returns keys as few int64 columns that order alike; constant ones vanish."""
    words = [np.zeros(len(keys[0]), dtype=np.int64)]
    used = 0
    for key in keys if len(keys[0]) else ():
        low = int(key.min())
        bits = (int(key.max()) - low).bit_length()
        if used + bits > _WORD_BITS:
            words.append(key - low if bits <= _WORD_BITS else key)
            used = min(bits, _WORD_BITS)
        elif bits:
            words[-1] = (words[-1] << bits) | (key - low)
            used += bits
    return words


def _equal_to_next(values: Any) -> Any:
    return values[1:] == values[:-1]
