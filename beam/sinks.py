"""Writes TFRecords, Arrow tables and rejects so that a killed writer leaves none."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import google_crc32c
import numpy as np
import orjson
import pyarrow as pa

from beam.batches import Reject
from beam.examples import by_length, joined

_FOOTER_BYTES = 4


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yields a temporary file that takes the path's name when the block succeeds.

    Its name is unique: a task and its repetition may write at the same time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    with partial.open("wb", buffering=1 << 20) as file:
        yield file
    partial.replace(path)


def write_records(path: Path, records: Iterable[Any]) -> int:
    """Writes a TFRecord file of large_binary arrays and returns the number of records.

    Framing: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    count = 0
    with atomic_file(path) as file:
        for part in records:
            framed = joined(by_length(part, _header), part, _footers(part))
            file.write(framed.buffers()[2])
            count += len(part)
    return count


def write_table(path: Path, table: pa.Table) -> None:
    """Writes an Arrow IPC file."""
    with atomic_file(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def read_table(path: Path) -> pa.Table:
    """Maps an Arrow IPC file into memory."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def write_rejects(path: Path, table: str, rejects: Iterable[Reject]) -> None:
    """Writes rejects as JSON Lines, ascending by row."""
    with atomic_file(path) as file:
        for reject in sorted(rejects, key=lambda reject: reject.row):
            line = {
                "table": table,
                "file": reject.file,
                "row": reject.row,
                "reason": reject.reason,
                "content": reject.content,
            }
            file.write(orjson.dumps(line, default=str) + b"\n")


def _header(length: int) -> bytes:
    content = struct.pack("<Q", length)
    return content + bytes(_masked([google_crc32c.value(content)]))


def _footers(records: Any) -> Any:
    """Returns the masked checksum of each record."""
    checksums = map(google_crc32c.value, records.to_pylist())
    masked = pa.py_buffer(_masked(list(checksums)))
    fixed = pa.Array.from_buffers(
        pa.binary(_FOOTER_BYTES), len(records), [None, masked]
    )
    return fixed.cast(pa.large_binary())


def _masked(checksums: list[int]) -> Any:
    values = np.asarray(checksums, dtype="<u4")
    return (values >> 15 | values << 17) + np.uint32(0xA282EAD8)
