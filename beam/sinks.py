"""Writes TFRecords, Arrow tables and rejects so that a killed writer leaves none."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import google_crc32c
import orjson
import pyarrow as pa

from beam.batches import Reject


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


def write_records(path: Path, records: Iterable[bytes]) -> int:
    """Writes a TFRecord file and returns the number of records.

    Framing: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    count = 0
    with atomic_file(path) as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            file.write(length + _masked_crc(length) + record + _masked_crc(record))
            count += 1
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


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
