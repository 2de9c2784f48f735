"""Finds the files behind a table's `source:` and cuts them into splits."""

from __future__ import annotations

import glob
import importlib.util
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from tfrs_app.contract.artifacts import sha256_of
from tfrs_app.contract.config import TableConfig
from tfrs_app.contract.errors import DataError

Format: TypeAlias = Literal["parquet", "csv", "jsonl"]

ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
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


@dataclass(frozen=True)
class Split:
    """Holds the unit of parallel reading: a Parquet row group or a whole text file."""

    index: int
    file: InputFile
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
    plain = Path(pattern)
    if plain.is_file():
        paths, folder = [plain], plain.parent
    else:
        found = (Path(path) for path in glob.glob(pattern, recursive=True))
        paths = sorted(path for path in found if path.is_file())
        folder = _fixed_part(pattern)
    if not paths:
        raise DataError(
            f"{key}.source: no file at {pattern!r}; relative paths start at the "
            f"working directory {str(Path.cwd())!r}"
        )
    return tuple(
        InputFile(
            path=str(path.absolute()),
            label=path.relative_to(folder).as_posix(),
            format=config.format or _format_of(path, key),
        )
        for path in paths
    )


def splits_of(files: Iterable[InputFile]) -> tuple[Split, ...]:
    """Cuts files into splits, numbered in file order.

    Raises:
        DataError: a Parquet file is corrupt.
    """
    parts = [part for file in files for part in _parts(file)]
    return tuple(
        Split(index, file, row_group, first_row)
        for index, (file, row_group, first_row) in enumerate(parts)
    )


def open_parquet(file: InputFile) -> pq.ParquetFile:
    """Opens a Parquet file.

    Raises:
        DataError: it cannot be read as Parquet.
    """
    try:
        return pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from error


def unreadable(file: InputFile, cause: Exception) -> DataError:
    """Returns the error that a file cannot be read in its format."""
    reason = " ".join(str(cause).split())[:300]
    return DataError(
        f"{file.path}: cannot be read as {file.format}: {reason}; write the file "
        "again or set `format:`"
    )


def digests_of(files: Iterable[InputFile]) -> list[tuple[str, str]]:
    """Returns the label and the sha256 of the content of each file."""
    return [(file.label, sha256_of(Path(file.path))) for file in files]


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


def _fixed_part(pattern: str) -> Path:
    """Returns the folder above the first part of a pattern that has a wildcard."""
    parts = itertools.takewhile(lambda part: not _is_glob(part), Path(pattern).parts)
    return Path(*parts)


def _format_of(path: Path, key: str) -> Format:
    for ending, name in ENDINGS.items():
        if path.name.lower().endswith(ending):
            return name
    raise DataError(
        f"{key}.source: the ending of {path.name!r} tells no format; use one of "
        f"{sorted(ENDINGS)} or set {key}.format"
    )


def _parts(file: InputFile) -> Iterator[tuple[InputFile, int | None, int]]:
    if file.format != "parquet":
        yield file, None, 0
        return
    first_row = 0
    with open_parquet(file) as parquet:
        for group in range(parquet.metadata.num_row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            if rows:
                yield file, group, first_row
            first_row += rows
