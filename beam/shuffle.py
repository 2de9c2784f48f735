"""What travels through a GroupByKey: Arrow tables as bytes, keyed by shard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

_SPLIT = b"split"


def shards_of(ids: Any, shards: int) -> Any:
    """Returns int64 [rows]: the shard of each id, by a digest that never changes."""
    encoded = ids.dictionary_encode()
    texts = encoded.dictionary.cast(pa.large_binary()).to_pylist()
    digests = b"".join(_digest(text) for text in texts)
    of_distinct = np.frombuffer(digests, "<u8") % shards
    return of_distinct.astype(np.int64)[encoded.indices.to_numpy()]


def partition(table: pa.Table, key: str, shards: int) -> list[pa.Table]:
    """Cuts a table by the shard of its key column; one table a shard, maybe empty."""
    shard = shards_of(table.column(key).combine_chunks(), shards)
    # numpy's stable sort of 16-bit integers is linear.
    narrow = shard.astype(np.uint16) if shards <= 1 << 16 else shard
    table = table.take(pa.array(np.argsort(narrow, kind="stable")))
    counts = np.bincount(shard, minlength=shards)
    ends = np.cumsum(counts)
    pairs = zip(ends - counts, counts, strict=True)
    return [table.slice(start, count) for start, count in pairs]


def pack(table: pa.Table, split: int) -> bytes:
    """Returns a table as compressed Arrow bytes that know the split they come from."""
    table = _compacted(table)
    schema = table.schema.with_metadata({_SPLIT: str(split)})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, schema, options=options) as stream:
        stream.write_table(table.replace_schema_metadata(schema.metadata))
    return bytes(sink.getvalue().to_pybytes())


def unpack(messages: Iterable[bytes]) -> Iterator[tuple[int, pa.Table]]:
    """Yields the split and the table of each message."""
    for message in messages:
        table = pa.ipc.open_stream(message).read_all()
        yield int(table.schema.metadata[_SPLIT]), table.replace_schema_metadata(None)


def _compacted(table: pa.Table) -> pa.Table:
    """Returns a table whose dictionaries hold nothing but what its rows use."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(place).combine_chunks()
            table = table.set_column(place, field.name, _used(column))
    return table


def _used(column: Any) -> Any:
    present = column.indices.is_valid()
    codes = column.indices.fill_null(0).to_numpy()
    used = np.zeros(len(column.dictionary), dtype=bool)
    used[column.indices.drop_null().to_numpy()] = True
    numbers = np.cumsum(used, dtype=np.int32) - 1
    if len(used):
        codes = numbers[codes]
    mask = ~present.to_numpy(zero_copy_only=False)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32(), mask=mask), column.dictionary.filter(pa.array(used))
    )


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=8).digest()
