"""Serialises tf.train.Example column by column.

An Example is a row of entries, one a feature, here in the order of their names
(https://protobuf.dev/programming-guides/encoding). What precedes a list of values
depends on the list's length in bytes alone, so it is made once for each length, and
Arrow joins whole columns. Arrays of serialised things are `large_binary [records]`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_FIRST = b"\x0a"  # field 1, length-delimited; the tag of every field 1 here
_SECOND = b"\x12"
_INT64_LIST = b"\x1a"
_NOTHING = pa.scalar(b"", pa.large_binary())
_BITS = 7  # of a value in each byte of a varint


def text_entries(name: str, values: Any, splits: Any) -> Any:
    """Returns a feature of texts.

    Args:
        name: of the feature.
        values: texts or bytes of all records, one after the other, perhaps
            dictionary-encoded; null is the empty text.
        splits: int64 [records + 1], where each record's values begin and end.
    """
    framed = _framed(values)
    ends = np.frombuffer(framed.buffers()[1], np.int64)[: len(framed) + 1]
    lists = _cut(framed.buffers()[2], ends[splits])
    return joined(by_length(lists, lambda size: _text_head(name, size)), lists)


def number_entries(name: str, values: Any, splits: Any) -> Any:
    """Returns a feature of float32 numbers; arguments as above."""
    content = pa.py_buffer(np.ascontiguousarray(values, dtype="<f4"))
    return _packed_entries(name, _SECOND, _cut(content, splits * 4))


def integer_entries(name: str, values: Any, splits: Any) -> Any:
    """Returns a feature of int64 numbers; arguments as above."""
    content, ends = _varints(np.asarray(values, dtype=np.int64))
    return _packed_entries(name, _INT64_LIST, _cut(pa.py_buffer(content), ends[splits]))


def examples(entries: Mapping[str, Any]) -> Any:
    """Returns the Examples of at least one feature; a null entry is no feature."""
    features = joined(*(entries[name] for name in sorted(entries)))
    return joined(by_length(features, _bytes_head), features)


def joined(*columns: Any) -> Any:
    """Returns the concatenation of each row's bytes; null counts as none."""
    filled = [c.fill_null(b"") if c.null_count else c for c in columns]
    return pc.binary_join_element_wise(*filled, _NOTHING)


def by_length(values: Any, of: Callable[[int], bytes]) -> Any:
    """Returns a function of the length in bytes of each value."""
    lengths = pc.binary_length(values).dictionary_encode()
    made = [of(length) for length in lengths.dictionary.to_pylist()]
    return pa.array(made, pa.large_binary()).take(lengths.indices)


def _framed(values: Any) -> Any:
    """Returns each text behind its length; null as the empty text."""
    if pa.types.is_dictionary(values.type):
        framed = _framed(values.dictionary).take(values.indices)
        return framed.fill_null(_bytes_head(0))
    values = values.cast(pa.large_binary()).fill_null(b"")
    return joined(by_length(values, _bytes_head), values)


def _packed_entries(name: str, kind: bytes, lists: Any) -> Any:
    heads = by_length(lists, lambda size: _packed_head(name, kind, size))
    return joined(heads, lists)


def _bytes_head(size: int) -> bytes:
    """Returns what precedes a message or bytes in field 1."""
    return _FIRST + _varint(size)


def _text_head(name: str, size: int) -> bytes:
    return _entry_head(name, _bytes_head(size), size)


def _packed_head(name: str, kind: bytes, size: int) -> bytes:
    head = _bytes_head(size) if size else b""
    return _entry_head(name, kind + _varint(len(head) + size) + head, size)


def _entry_head(name: str, head: bytes, size: int) -> bytes:
    """Returns what precedes a feature's list of `size` bytes in Features."""
    key = name.encode()
    value = _SECOND + _varint(len(head) + size) + head
    start = _bytes_head(len(key)) + key + value
    return _bytes_head(len(start) + size) + start


def _cut(content: Any, ends: Any) -> Any:
    """Returns the parts of a buffer between consecutive ends."""
    offsets = pa.py_buffer(np.ascontiguousarray(ends, dtype=np.int64))
    return pa.Array.from_buffers(
        pa.large_binary(), len(ends) - 1, [None, offsets, content]
    )


def _varints(values: Any) -> tuple[Any, Any]:
    """Returns the varints of int64 [n] as uint8 [bytes], and their ends, [n + 1]."""
    unsigned = values.view(np.uint64)
    width = np.ones(len(values), dtype=np.int64)
    widest = max(-(-int(unsigned.max(initial=0)).bit_length() // _BITS), 1)
    for place in range(1, widest):
        width += unsigned >= np.uint64(1 << _BITS * place)
    digits = np.empty((len(values), widest), dtype=np.uint8)  # [n, bytes]
    for place in range(widest):
        part = (unsigned >> np.uint64(_BITS * place)).astype(np.uint8) & 0x7F
        digits[:, place] = part | (width > place + 1) * np.uint8(0x80)
    kept = np.arange(widest) < width[:, None]
    return digits[kept], np.concatenate([[0], np.cumsum(width)])


@functools.lru_cache(maxsize=1 << 16)
def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
