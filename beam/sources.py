"""Finds the files behind a table's `source:` and cuts them into splits."""

from __future__ import annotations

import glob
import importlib.util
import itertools
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from beam.files import digest_of, is_remote, matching, raw_file
from tfrs_app.contract.data_config import PLAIN_CSV, CsvConfig, TableConfig
from tfrs_app.contract.errors import DataError

Format: TypeAlias = Literal["parquet", "csv", "jsonl", "dataset"]

ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
}
PACKAGE = "package:"
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class InputFile:
    """Names one file of a table.

    `label` is its path below the folder that `source:` names, so that outputs that
    mention a file do not depend on the machine.
    """

    path: str
    label: str
    format: Format
    csv: CsvConfig = PLAIN_CSV


@dataclass(frozen=True)
class Split:
    """Holds the unit of parallel reading: a Parquet row group or a whole file.

    `source` counts the sources of the table, each with a mapping of its own.
    """

    index: int
    file: InputFile
    source: int
    row_group: int | None = None
    first_row: int = 0


def input_files(config: TableConfig, key: str) -> tuple[InputFile, ...]:
    """Returns the files of a table in a fixed order.

    Args:
        config: the table's section of the YAML.
        key: where that section lies, for messages, e.g. `data.events`.

    Raises:
        DataError: no file is there, or its format cannot be told.
    """
    pattern = _located(config.source, key)
    paths = matching(pattern, f"{key}.source")
    if not paths:
        raise DataError(
            f"{key}.source: no file at {pattern!r}; relative paths start at the "
            f"working directory {str(Path.cwd())!r}"
        )
    folder = _fixed_part(pattern) if paths != [pattern] else _folder_of(pattern)
    return tuple(
        InputFile(
            path=path if is_remote(path) else str(Path(path).absolute()),
            label=path.removeprefix(folder).lstrip("/"),
            format=config.format or _format_of(path, key),
            csv=config.csv,
        )
        for path in paths
    )


def splits_of(sources: Iterable[Iterable[InputFile]]) -> tuple[Split, ...]:
    """Cuts the files of a table's sources into splits, numbered in file order.

    Raises:
        DataError: a Parquet file is corrupt.
    """
    parts = [
        (file, source, row_group, first_row)
        for source, files in enumerate(sources)
        for file in files
        for row_group, first_row in _parts(file)
    ]
    return tuple(Split(index, *part) for index, part in enumerate(parts))


@contextmanager
def open_parquet(file: InputFile) -> Iterator[pq.ParquetFile]:
    """Opens a Parquet file.

    Raises:
        DataError: it cannot be read as Parquet.
    """
    with ExitStack() as files:
        try:
            # A local path lets pyarrow read without Python in between.
            remote = is_remote(file.path)
            raw = files.enter_context(raw_file(file.path)) if remote else file.path
            parquet = files.enter_context(pq.ParquetFile(raw))
        except (pa.ArrowException, OSError) as error:
            raise unreadable(file, error) from error
        yield parquet


def unreadable(file: InputFile, cause: Exception) -> DataError:
    """Returns the error that a file cannot be read in its format."""
    reason = " ".join(str(cause).split())[:300]
    return DataError(
        f"{file.path}: cannot be read as {file.format}: {reason}; write the file "
        "again or set `format:`"
    )


def digests_of(files: Iterable[InputFile]) -> list[tuple[str, str]]:
    """Returns the label of each file and a digest of its content."""
    return [(file.label, digest_of(file.path)) for file in files]


def _located(source: str, key: str) -> str:
    if not source.startswith(PACKAGE):
        return source
    name, _, inside = source.removeprefix(PACKAGE).partition("/")
    # A dotted name would make find_spec import the parent.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders or not inside:
        raise DataError(
            f"{key}.source: {source!r} names no installed package and path inside; "
            f"install {name!r} or write {PACKAGE}NAME/PATH"
        )
    folder = glob.escape(folders[0]) if _is_glob(inside) else folders[0]
    return f"{folder}/{inside}"


def _is_glob(text: str) -> bool:
    return not _WILDCARDS.isdisjoint(text)


def _fixed_part(pattern: str) -> str:
    """Returns the folder above the first part of a pattern that has a wildcard."""
    parts = pattern.split("/")
    return "/".join(itertools.takewhile(lambda part: not _is_glob(part), parts))


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _format_of(path: str, key: str) -> Format:
    name = path.rpartition("/")[2]
    for ending, kind in ENDINGS.items():
        if name.lower().endswith(ending):
            return kind
    raise DataError(
        f"{key}.source: the ending of {name!r} tells no format; use one of "
        f"{sorted(ENDINGS)} or set {key}.format"
    )


def _parts(file: InputFile) -> Iterator[tuple[int | None, int]]:
    """Yields the row group (None: the whole file) and first row of each part."""
    if file.format != "parquet":
        yield None, 0
        return
    first_row = 0
    with open_parquet(file) as parquet:
        for group in range(parquet.metadata.num_row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            if rows:
                yield group, first_row
            first_row += rows
