"""What all events say: when they happened, of which types, how many they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow.compute as pc

from beam.coercion import as_seconds, as_text
from beam.reading import read
from tfrs_app.cli.init.sample import Sample
from tfrs_app.contract.errors import DataError

_ODD = 0.001
"""Share of the events at either end that may be slips of a clock."""
_PART = 0.1
"""Of the time: the test window, and the validation window before it."""
LEAST_DAYS = 10
_BATCHES = range(6, 13)
"""Batch sizes are powers of two: 64 to 4096."""
_BATCHES_AN_EPOCH = 8


@dataclass(frozen=True)
class Log:
    """Holds what split dates and event types are guessed from.

    Attributes:
        seconds: of all events, sorted, since the epoch.
        types: file's event type -> events; empty without such a column.
    """

    seconds: np.ndarray
    types: dict[str, int]


@dataclass(frozen=True)
class SplitGuess:
    """Holds the dates of `data.split`, and why."""

    validation_start: date
    test_start: date
    why: str


def read_log(
    events: Sample,
    timestamp: str,
    event_type: str | None,
    timezone: str,
    tell: Callable[[int], None],
) -> Log:
    """Reads time and type of every event.

    Args:
        events: the table.
        timestamp: its column of the time.
        event_type: its column of the types, if it has one.
        timezone: of moments without one.
        tell: takes the number of rows read so far.

    Raises:
        DataError: a file is corrupt, or no event has a moment.
    """
    columns = [timestamp, *([event_type] if event_type else [])]
    seconds, types, rows = [], Counter[str](), 0
    for split in events.splits:
        for batch in read(split, columns):
            moments, _ = as_seconds(
                batch.table.column(timestamp).combine_chunks(), timezone
            )
            seconds.append(moments.drop_null().to_numpy())
            if event_type:
                texts = as_text(batch.table.column(event_type).combine_chunks())
                for count in pc.value_counts(texts.drop_null()).to_pylist():
                    types[count["values"]] += count["counts"]
            rows += len(batch.table)
            tell(rows)
    found = np.sort(np.concatenate(seconds)) if seconds else np.zeros(0, np.int64)
    if not len(found):
        raise DataError(
            f"{events.name}: no row of column {timestamp!r} holds a moment; name "
            "another with --column timestamp=COLUMN"
        )
    return Log(found, dict(types))


def split_of(seconds: np.ndarray) -> SplitGuess:
    """Guesses where validation and test begin: midnights, UTC.

    Args:
        seconds: of all events, sorted, since the epoch.

    Raises:
        DataError: the events span too few days to be divided.
    """
    first = _day(np.quantile(seconds, _ODD, method="lower"))
    last = _day(np.quantile(seconds, 1 - _ODD, method="higher"))
    days = (last - first).days + 1
    if days < LEAST_DAYS:
        raise DataError(
            f"events: last from {first} to {last}, {days} day(s); a split into "
            f"training, validation and test needs {LEAST_DAYS} at least, so bring a "
            "longer log"
        )
    window = timedelta(days=max(1, round(days * _PART)))
    test_start = last + timedelta(days=1) - window
    validation_start = test_start - window
    why = (
        f"events last from {first} to {last}: {window.days} of {days} days to test, as "
        "many before to validate"
    )
    return SplitGuess(validation_start, test_start, why)


def batch_size_of(seconds: np.ndarray, validation_start: date) -> int | None:
    """Returns a batch size that few events allow; None where the default will do."""
    start = datetime.combine(validation_start, datetime.min.time(), UTC).timestamp()
    training = int(np.searchsorted(seconds, start))
    sizes = [1 << power for power in _BATCHES]
    fitting = [size for size in sizes if size * _BATCHES_AN_EPOCH <= training]
    size = fitting[-1] if fitting else sizes[0]
    return None if size == sizes[-1] else size


def _day(second: float) -> date:
    return datetime.fromtimestamp(float(second), UTC).date()
