"""Reads JSON Lines as Arrow batches of text, as a CSV would hold the values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from beam.batches import Batch, Reject
from beam.files import opened
from beam.sources import InputFile, Split
from tfrs_app.contract.errors import DataError

_BATCH_ROWS = 65_536
_ROWS_INSPECTED = 10_000
NO_OBJECT = "not a JSON object"
NESTED = "nested value"


def jsonl_columns(file: InputFile) -> list[str]:
    """Returns the keys of a file's first objects.

    Raises:
        DataError: there is no object among them.
    """
    names: dict[str, None] = {}
    for line in itertools.islice(_json_lines(file), _ROWS_INSPECTED):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # a reject when the rows are read
        if isinstance(record, dict):
            names.update(dict.fromkeys(record))
    if not names:
        raise DataError(
            f"{file.path}: holds no JSON object in its first {_ROWS_INSPECTED} "
            "lines; write one object a line"
        )
    return list(names)


def read_jsonl(split: Split, columns: list[str]) -> Iterator[Batch]:
    """Yields a file's objects with the given keys as columns of text."""
    numbered = enumerate(_json_lines(split.file))
    while chunk := list(itertools.islice(numbered, _BATCH_ROWS)):
        texts: list[list[str | None]] = []
        rows, rejects = [], []
        for row, line in chunk:
            try:
                texts.append(_texts(orjson.loads(line), columns))
                rows.append(row)
            except (orjson.JSONDecodeError, TypeError) as error:
                reason = str(error) if isinstance(error, TypeError) else NO_OBJECT
                content = line.decode(errors="replace").rstrip("\r\n")
                rejects.append(Reject(split.file.label, row, reason, content))
        arrays = zip(*texts, strict=True) if texts else [()] * len(columns)
        table = pa.table(
            [pa.array(values, pa.large_string()) for values in arrays], names=columns
        )
        yield Batch(table, np.asarray(rows, dtype=np.int64), tuple(rejects))


def _json_lines(file: InputFile) -> Iterator[bytes]:
    with opened(file.path) as lines:
        yield from (line for line in lines if line.strip())


def _texts(record: Any, columns: list[str]) -> list[str | None]:
    """Returns a JSON object's values as a CSV would hold them.

    Raises:
        TypeError: with the reason why the row cannot be used.
    """
    if not isinstance(record, dict):
        raise TypeError(NO_OBJECT)
    return [_text(record.get(name)) for name in columns]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(NESTED)
