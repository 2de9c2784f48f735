"""Reads request logs as batches of impressions, with every bad record as a reject."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import pyarrow as pa

from beam.batches import Reject
from beam.files import matching, opened
from beam.shown_lists import (
    IMPRESSIONS,
    RecordError,
    ShownLists,
    from_line,
    from_message,
)
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.impressions import JSONL_ENDING, TFRECORD_ENDING

CORRUPT = "corrupt from here to the end of the file"

_BATCH_ROWS = 65_536
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_GZIP = ".gz"


@dataclass(frozen=True)
class LogFile:
    """Names one file of a request log; `index` counts the files."""

    index: int
    path: str

    @property
    def name(self) -> str:
        """Returns the file's name without its folder."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Part:
    """Holds impressions and what became of the records that they are made of."""

    table: Any
    records: int
    without_items: int
    rejects: tuple[Reject, ...]


def log_files(patterns: list[str]) -> tuple[LogFile, ...]:
    """Returns the files that paths, globs or URLs name, each once.

    Raises:
        DataError: there is none, or the ending of one tells no form.
    """
    paths = dict.fromkeys(
        path for pattern in patterns for path in matching(pattern, "request logs")
    )
    if not paths:
        raise DataError(
            f"no finished request log at {', '.join(map(repr, patterns))}; the server "
            "shows a file when it is full or some minutes old"
        )
    for path in paths:
        if not path.removesuffix(_GZIP).endswith((JSONL_ENDING, TFRECORD_ENDING)):
            raise DataError(
                f"{path}: the ending tells no form of a request log; name files that "
                f"end with {JSONL_ENDING} or {TFRECORD_ENDING}"
            )
    return tuple(
        LogFile(i, str(Path(path).absolute()) if "://" not in path else path)
        for i, path in enumerate(paths)
    )


def read_log(file: LogFile) -> Iterator[Part]:
    """Yields a file's impressions; one part at least.

    Raises:
        DataError: the file cannot be opened.
    """
    is_jsonl = file.path.removesuffix(_GZIP).endswith(JSONL_ENDING)
    records = _lines if is_jsonl else _tfrecords
    parse = from_line if is_jsonl else from_message
    collected = _Collected(file)
    try:
        with opened(file.path) as stream:
            for number, content in enumerate(records(stream)):
                collected.add(number, content, parse)
                if len(collected.rows) >= _BATCH_ROWS:
                    yield collected.taken()
    except (OSError, EOFError) as error:
        raise DataError(
            f"{file.path}: cannot be read ({error}); copy it again or leave it out"
        ) from error
    yield collected.taken()


class _Collected:
    """Gathers rows until there are enough for a part."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._clear()

    def _clear(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self._counts: Counter[str] = Counter()
        self._rejects: list[Reject] = []

    def add(
        self,
        number: int,
        content: bytes | None,
        parse: Callable[[bytes], ShownLists | None],
    ) -> None:
        """Adds a record; None stands for the unreadable rest of the file."""
        self._counts["records"] += 1
        try:
            shown = parse(content) if content is not None else None
        except RecordError as error:
            self._reject(number, str(error))
            return
        if content is None:
            self._reject(number, CORRUPT)
        elif shown is None:
            self._counts["without_items"] += 1
        else:
            self.rows.extend(shown.rows(f"{self._file.name}:{number}"))

    def _reject(self, number: int, reason: str) -> None:
        # The content is left out: it tells what a user was interested in.
        self._rejects.append(Reject(self._file.name, number, reason, None))

    def taken(self) -> Part:
        """Returns what was gathered and begins anew."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(IMPRESSIONS)
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(columns, IMPRESSIONS, strict=True)
        ]
        part = Part(
            pa.table(arrays, schema=IMPRESSIONS),
            self._counts["records"],
            self._counts["without_items"],
            tuple(self._rejects),
        )
        self._clear()
        return part


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    return (line for line in stream if line.strip())


def _tfrecords(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yields the records of a TFRecord file; None, and no more, where it is broken.

    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    while header := stream.read(_HEADER.size):
        if len(header) < _HEADER.size:
            yield None
            return
        length, checksum = _HEADER.unpack(header)
        if _masked(header[: struct.calcsize("<Q")]) != checksum:
            yield None
            return
        content = stream.read(length)
        footer = stream.read(_FOOTER.size)
        if len(footer) < _FOOTER.size:
            yield None
            return
        # A record that was changed is no message, whatever it might parse as.
        yield content if (_masked(content),) == _FOOTER.unpack(footer) else b"\xff"


def _masked(content: bytes) -> int:
    crc: int = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
