"""Reads the records of a dataset that an earlier job made: a source like any other.

So a dataset can be extended or rebuilt without the files that it was made from.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beam.batches import Batch
from beam.example_messages import features_in
from beam.files import opened
from beam.sources import InputFile, Split
from tfrs_app.contract.dataset import TARGET_START, TIMESTAMP
from tfrs_app.contract.features import USER_ID

_BATCH_EVENTS = 262_144
_HEADER = struct.Struct("<QI")
_FOOTER_BYTES = 4
_ARROW = {
    "bytes_list": pa.binary(),
    "float_list": pa.float32(),
    "int64_list": pa.int64(),
}


def stored_columns(file: InputFile) -> list[str]:
    """Returns the features of a file's first record; none of an empty file."""
    first = next(_records(file), None)
    return [] if first is None else sorted(features_in(first))


def read_stored(split: Split, columns: list[str]) -> Iterator[Batch]:
    """Yields the rows or events of a record file; each event once, without overlaps."""
    gathered: dict[str, list[Any]] = {name: [] for name in columns}
    kinds: dict[str, Any] = {}
    done = held = 0
    for record in _records(split.file):
        features = features_in(record)
        rows, start = _extent(features)
        for name in columns:
            values, kinds[name] = _values(features, name, kinds.get(name))
            whole = values if len(values) == rows else values * rows
            gathered[name].extend(whole[start:])
        held += rows - start
        if held >= _BATCH_EVENTS:
            yield _batch(gathered, kinds, done)
            done, held = done + held, 0
            gathered = {name: [] for name in columns}
    if held:
        yield _batch(gathered, kinds, done)


def users_in(path: Path) -> set[str]:
    """Returns the users of a file of sequences or profiles."""
    file = InputFile(str(path), path.name, "dataset")
    return {
        features_in(record)[USER_ID].bytes_list.value[0].decode()
        for record in _records(file)
    }


def _records(file: InputFile) -> Iterator[bytes]:
    """Yields the records of a TFRecord file, whose checksum the manifest holds."""
    with opened(file.path) as stream:
        while header := stream.read(_HEADER.size):
            length, _ = _HEADER.unpack(header)
            yield stream.read(length)
            stream.read(_FOOTER_BYTES)


def _extent(features: Any) -> tuple[int, int]:
    """Returns how many rows a record holds, and the first that no earlier one holds."""
    if TARGET_START not in features:
        return 1, 0
    rows = len(features[TIMESTAMP].int64_list.value)
    return rows, features[TARGET_START].int64_list.value[0]


def _values(features: Any, name: str, known_kind: Any) -> tuple[list[Any], Any]:
    if name not in features:
        return [None], known_kind
    feature = features[name]
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value), _ARROW[kind]


def _batch(gathered: dict[str, list[Any]], kinds: dict[str, Any], first: int) -> Batch:
    arrays = {}
    for name, values in gathered.items():
        array = pa.array(values, kinds[name] or pa.binary())
        binary = pa.types.is_binary(array.type)
        arrays[name] = array.cast(pa.large_string()) if binary else array
    table = pa.table(arrays)
    return Batch(table, np.arange(first, first + len(table)))
