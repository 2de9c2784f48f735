"""Reads a split of any format as Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from beam.batches import Batch
from beam.coercion import is_usable, plain
from beam.csv_files import csv_columns, read_csv
from beam.json_files import jsonl_columns, read_jsonl
from beam.sources import InputFile, Split, open_parquet, unreadable
from beam.stored import read_stored, stored_columns
from tfrs_app.contract.errors import DataError

BATCH_ROWS = 262_144
_FAULTS = (pa.ArrowException, OSError, EOFError, UnicodeError)


def columns_of_file(file: InputFile) -> list[str]:
    """Returns the names of a file's columns.

    Raises:
        DataError: the file is unreadable, empty, or names a column twice.
    """
    try:
        names = _COLUMNS[file.format](file)
    except _FAULTS as error:
        raise unreadable(file, error) from error
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise DataError(f"{file.path}: columns {doubles} stand twice; rename one")
    return names


def check_types(file: InputFile, columns: Sequence[str]) -> None:
    """Checks that the columns to be read have types that can be coerced.

    Raises:
        DataError: names the first column whose type cannot.
    """
    if file.format != "parquet":
        return
    with open_parquet(file) as parquet:
        schema = parquet.schema_arrow
    for name in columns:
        kind = schema.field(name).type
        if not is_usable(kind):
            raise DataError(
                f"{file.path}: column {name!r} has type {kind}; use a column of texts, "
                "numbers, truth values, dates or timestamps"
            )


def read(split: Split, columns: Sequence[str]) -> Iterator[Batch]:
    """Yields the batches of a split with the given columns.

    Raises:
        DataError: the file is corrupt.
    """
    try:
        yield from _READERS[split.file.format](split, list(columns))
    except _FAULTS as error:
        raise unreadable(split.file, error) from error


def _read_parquet(split: Split, columns: list[str]) -> Iterator[Batch]:
    row = split.first_row
    with open_parquet(split.file) as parquet:
        for part in parquet.iter_batches(
            BATCH_ROWS, row_groups=[split.row_group], columns=columns
        ):
            table = pa.table({name: plain(part.column(name)) for name in columns})
            yield Batch(table, np.arange(row, row + len(table)))
            row += len(table)


def _parquet_columns(file: InputFile) -> list[str]:
    with open_parquet(file) as parquet:
        return list(parquet.schema_arrow.names)


_READERS = {
    "parquet": _read_parquet,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "dataset": read_stored,
}
_COLUMNS = {
    "parquet": _parquet_columns,
    "csv": csv_columns,
    "jsonl": jsonl_columns,
    "dataset": stored_columns,
}
