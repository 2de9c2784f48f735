"""Reads CSV files of any dialect as Arrow batches of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from beam.batches import Batch, Reject
from beam.files import is_remote, raw_file
from beam.sources import InputFile, Split

_BLOCK_BYTES = 16 << 20
WRONG_FIELDS = "wrong number of fields"


def csv_columns(file: InputFile) -> list[str]:
    """Returns the names of a file's columns."""
    with _open(file, lambda _: "skip", pacsv.ConvertOptions()) as reader:
        return list(reader.schema.names)


def read_csv(split: Split, columns: list[str]) -> Iterator[Batch]:
    """Yields a file's rows with the given columns; empty values are null."""
    label = split.file.label
    header_lines = 0 if split.file.csv.column_names else 1
    broken: list[Reject] = []

    def reject(row: pacsv.InvalidRow) -> str:
        number = row.number - 1 - header_lines  # it counts lines from 1
        broken.append(Reject(label, number, WRONG_FIELDS, row.text))
        return "skip"

    types = pacsv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    done = told = 0
    with _open(split.file, reject, types) as reader:
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


@contextmanager
def _open(
    file: InputFile, on_broken_row: Callable[[Any], str], types: pacsv.ConvertOptions
) -> Iterator[Any]:
    dialect = file.csv
    with _stream(file.path) as stream:
        yield pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                use_threads=False,  # else the parser numbers no rejected row
                block_size=_BLOCK_BYTES,
                column_names=list(dialect.column_names) or None,
                encoding=dialect.encoding,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                escape_char=dialect.escape or False,
                newlines_in_values=True,
                invalid_row_handler=on_broken_row,
            ),
            convert_options=types,
        )


@contextmanager
def _stream(path: str) -> Iterator[Any]:
    zipped = path.lower().endswith(".gz")
    with ExitStack() as files:
        remote = is_remote(path)
        source = files.enter_context(raw_file(path)) if remote else path
        yield pa.input_stream(source, compression="gzip" if zipped else None)


def _no_rows(columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.large_string()) for name in columns})
