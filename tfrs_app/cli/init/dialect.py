"""How a CSV file is written, told by its first bytes."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from beam.coercion import as_numbers, as_seconds
from tfrs_app.contract.data_config import CsvConfig
from tfrs_app.contract.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
_LINES = 100
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f\x1b")


def dialect_of(head: bytes, path: str) -> CsvConfig:
    """Returns the dialect of a CSV file.

    Args:
        head: the file's first bytes, unpacked.
        path: of the file, for messages.

    Raises:
        DataError: it is empty or no text, has one column, or no header line.
    """
    encoding, text = _decoded(head, path)
    lines = [line for line in text.splitlines() if line.strip()][:_LINES]
    if not lines:
        raise DataError(f"{path}: is empty; name a file with a header line and rows")
    quote = _quote(lines)
    try:
        delimiter = _delimiter(lines, quote, path)
        rows = _rows(lines, delimiter, quote)
    except csv.Error as error:
        raise DataError(
            f"{path}: cannot be cut into columns: {error}; export it again as CSV"
        ) from error
    if not _is_header(rows[0]):
        raise DataError(
            f"{path}: its first line {lines[0][:80]!r} looks like data, so the names "
            "of the columns are unknown; add a header line such as "
            f"{delimiter.join(('user_id', 'item_id', 'timestamp'))!r}"
        )
    return CsvConfig(delimiter=delimiter, quote=quote, encoding=encoding)


def _decoded(head: bytes, path: str) -> tuple[str, str]:
    """Returns the encoding and the text, without a character that is cut off."""
    marked = [name for mark, name in _MARKS if head.startswith(mark)]
    for encoding in marked or ("utf-8", "cp1252"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        if _NO_TEXT.isdisjoint(text):
            return encoding, text.removeprefix("\ufeff")
    raise DataError(
        f"{path}: is no text in UTF-8, UTF-16 or Windows-1252, so it cannot be read as "
        "CSV; export it again as UTF-8"
    )


def _delimiter(lines: list[str], quote: str, path: str) -> str:
    """Returns what cuts most lines into the same number of fields, at least two."""
    best, most = "", (0, 0)
    for delimiter in DELIMITERS:
        fields = [len(row) for row in _rows(lines, delimiter, quote)]
        first = fields[0]
        agreeing = Counter(fields)[first]
        if first > 1 and (agreeing, first) > most:
            best, most = delimiter, (agreeing, first)
    if not best:
        raise DataError(
            f"{path}: has one column, for none of {' '.join(map(repr, DELIMITERS))} "
            "cuts its lines; name a file with a column each for what the table says"
        )
    return best


def _quote(lines: list[str]) -> str:
    """Returns the quotation mark: a single one if fields stand only between such."""
    text = "\n".join(lines)
    single = text.startswith("'") or any(f"{mark}'" in text for mark in DELIMITERS)
    return "'" if single and '"' not in text else '"'


def _rows(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    text = io.StringIO("\n".join(lines))
    return [
        row for row in csv.reader(text, delimiter=delimiter, quotechar=quote) if row
    ]


def _is_header(cells: list[str]) -> bool:
    """Tells whether a line holds names: all there, all different, no number or date."""
    names = [cell.strip() for cell in cells]
    values = pa.array(names, pa.large_string())
    _, no_number = as_numbers(values)
    _, no_moment = as_seconds(values, "UTC")
    told = pc.and_(no_number, no_moment)
    return all(names) and len(set(names)) == len(names) and bool(pc.all(told).as_py())
