"""Reads a split as Arrow batches; each row keeps its number, broken ones are kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv as pacsv

from beam.coercion import is_usable, plain
from beam.sources import InputFile, Split, open_parquet, unreadable
from tfrs_app.contract.errors import DataError

BATCH_ROWS = 262_144
_CSV_BLOCK_BYTES = 16 << 20
_JSON_BATCH_ROWS = 65_536
_JSON_ROWS_INSPECTED = 10_000

WRONG_FIELDS = "wrong number of fields"
NO_OBJECT = "not a JSON object"
NESTED = "nested value"


@dataclass(frozen=True)
class Reject:
    """Holds one row that cannot be used; row 0 is the first data row of the file."""

    file: str
    row: int
    reason: str
    content: Any


@dataclass(frozen=True)
class Batch:
    """Holds consecutive readable rows: plain columns, their numbers, rows rejected.

    `rows` is int64 [table.num_rows].
    """

    table: pa.Table
    rows: Any
    rejects: tuple[Reject, ...] = ()


def columns_of_file(file: InputFile) -> list[str]:
    """Returns the names of a file's columns.

    Raises:
        DataError: the file is unreadable, empty, or names a column twice.
    """
    try:
        names = _COLUMNS[file.format](file)
    except (pa.ArrowException, OSError) as error:
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
    except (pa.ArrowException, OSError) as error:
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


def _read_csv(split: Split, columns: list[str]) -> Iterator[Batch]:
    label = split.file.label
    broken: list[Reject] = []

    def reject(row: pacsv.InvalidRow) -> str:
        number = row.number - 2  # it counts from 1, the header included
        broken.append(Reject(label, number, WRONG_FIELDS, row.text))
        return "skip"

    parser = pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=reject)
    types = pacsv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    done = told = 0
    with _open_csv(split.file, parser, types) as reader:
        for part in reader:
            rows = _csv_rows(done, len(part), [reject.row for reject in broken])
            yield Batch(pa.table(part), rows, tuple(broken[told:]))
            done, told = done + len(part), len(broken)
    yield Batch(_no_rows(columns), np.arange(0), tuple(broken[told:]))


def _csv_rows(first: int, count: int, broken: list[int]) -> Any:
    """Returns the numbers of `count` good rows, of which `first` came before."""
    good_before = np.asarray(broken, dtype=np.int64) - np.arange(len(broken))
    good = np.arange(first, first + count)
    return good + np.searchsorted(good_before, good, side="right")


def _open_csv(
    file: InputFile, parser: pacsv.ParseOptions, types: pacsv.ConvertOptions
) -> Any:
    compression = "gzip" if file.path.lower().endswith(".gz") else None
    # Without threads the parser numbers the rows that it rejects.
    return pacsv.open_csv(
        pa.input_stream(file.path, compression=compression),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=_CSV_BLOCK_BYTES),
        parse_options=parser,
        convert_options=types,
    )


def _read_jsonl(split: Split, columns: list[str]) -> Iterator[Batch]:
    numbered = enumerate(_json_lines(split.file))
    while chunk := list(itertools.islice(numbered, _JSON_BATCH_ROWS)):
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
    with open(file.path, "rb") as lines:
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


def _no_rows(columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.large_string()) for name in columns})


def _parquet_columns(file: InputFile) -> list[str]:
    with open_parquet(file) as parquet:
        return list(parquet.schema_arrow.names)


def _csv_columns(file: InputFile) -> list[str]:
    parser = pacsv.ParseOptions(
        newlines_in_values=True, invalid_row_handler=lambda _: "skip"
    )
    with _open_csv(file, parser, pacsv.ConvertOptions()) as reader:
        return list(reader.schema.names)


def _jsonl_columns(file: InputFile) -> list[str]:
    names: dict[str, None] = {}
    for line in itertools.islice(_json_lines(file), _JSON_ROWS_INSPECTED):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # a reject when the rows are read
        if isinstance(record, dict):
            names.update(dict.fromkeys(record))
    if not names:
        raise DataError(
            f"{file.path}: holds no JSON object in its first {_JSON_ROWS_INSPECTED} "
            "lines; write one object a line"
        )
    return list(names)


_READERS = {"parquet": _read_parquet, "csv": _read_csv, "jsonl": _read_jsonl}
_COLUMNS = {"parquet": _parquet_columns, "csv": _csv_columns, "jsonl": _jsonl_columns}
