"""Reads a table's first rows, in whatever format it is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pyarrow as pa

from beam.coercion import is_usable
from beam.files import opened
from beam.reading import columns_of_file, read
from beam.sources import (
    InputFile,
    Split,
    input_files,
    open_parquet,
    splits_of,
    unreadable,
)
from tfrs_app.cli.init.columns import Column, described
from tfrs_app.cli.init.dialect import dialect_of
from tfrs_app.contract.data_config import PLAIN_CSV, CsvConfig, TableConfig
from tfrs_app.contract.errors import DataError

ROWS = 20_000
_HEAD_BYTES = 1 << 18
_PLAIN_TEXT = (".tsv", ".txt", ".tsv.gz", ".txt.gz")
"""Endings that beam does not know: these files are CSV of some dialect."""


@dataclass(frozen=True)
class Sample:
    """Holds what a table is like.

    Attributes:
        table: events, items or users.
        section: of the YAML, its mapping still to be found.
        files: of the table.
        columns: as the first rows of the first file show them.
    """

    table: str
    section: TableConfig
    files: tuple[InputFile, ...]
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """Returns the first file's path as it was given."""
        return self.section.source

    def column(self, name: str) -> Column:
        """Returns a column.

        Raises:
            DataError: there is none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(
            f"{self.name}: has no column {name!r}; its columns are {self.listed}"
        )

    @property
    def listed(self) -> str:
        """Returns the names of all columns, for messages."""
        return ", ".join(repr(column.name) for column in self.columns)

    @property
    def splits(self) -> tuple[Split, ...]:
        """Returns all that is to be read to see every row."""
        return splits_of([self.files])


def sample_of(table: str, source: str) -> Sample:
    """Reads the first rows of a table.

    Args:
        table: events, items or users.
        source: path, glob or URL.

    Raises:
        DataError: it is missing, empty, unreadable, or has one column.
    """
    kind: Literal["csv"] | None = (
        "csv" if source.lower().endswith(_PLAIN_TEXT) else None
    )
    bare = TableConfig(source=source, format=kind)
    first = input_files(bare, table)[0]
    dialect = _dialect(first) if first.format == "csv" else PLAIN_CSV
    section = TableConfig(source=source, format=kind, csv=dialect)
    files = input_files(section, table)
    columns = _columns(files[0])
    if len(columns) < 2 and table != "users":
        raise DataError(
            f"{source}: has one column; a table of {table} needs more, so name another "
            "file"
        )
    if not any(column.rows for column in columns):
        raise DataError(f"{source}: has no rows; name a table with rows")
    return Sample(table, section, files, columns)


def _dialect(file: InputFile) -> CsvConfig:
    try:
        with opened(file.path) as stream:
            head = stream.read(_HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise unreadable(file, error) from error
    return dialect_of(head, file.path)


def _columns(file: InputFile) -> tuple[Column, ...]:
    names = columns_of_file(file)
    nested = _nested(file)
    flat = [name for name in names if name not in nested]
    table = _first_rows(file, flat)
    return tuple(
        described(name, table.column(name).combine_chunks())
        if name in flat
        else Column(name, "nested")
        for name in names
    )


def _first_rows(file: InputFile, columns: list[str]) -> pa.Table:
    parts, rows = [], 0
    for split in splits_of([[file]]):
        for batch in read(split, columns):
            parts.append(batch.table)
            rows += len(batch.table)
            if rows >= ROWS:
                return pa.concat_tables(parts).slice(0, ROWS)
    return (
        pa.concat_tables(parts)
        if parts
        else pa.table({name: pa.array([], pa.large_string()) for name in columns})
    )


def _nested(file: InputFile) -> set[str]:
    """Returns the columns of lists and objects, which no feature can be read from."""
    if file.format == "csv":
        return set()
    if file.format == "parquet":
        with open_parquet(file) as parquet:
            return {f.name for f in parquet.schema_arrow if not is_usable(f.type)}
    found: set[str] = set()
    with opened(file.path) as lines:
        for line in itertools.islice(lines, ROWS):
            found |= _nested_keys(line)
    return found


def _nested_keys(line: bytes) -> set[str]:
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return set()  # `prepare` rejects the row
    items = record.items() if isinstance(record, dict) else ()
    return {key for key, value in items if isinstance(value, dict | list)}
