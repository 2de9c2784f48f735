"""Proves that no history holds its target, or anything at or after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import HISTORY_ITEM_ID, HISTORY_TIMESTAMP
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.windows import WINDOW, WINDOW_END, QueryReader

MOST_CELLS = 20_000_000
"""Places of histories that are looked at one by one; beyond it an even sample is."""
QUERIES_A_STEP = 4096


@dataclass(frozen=True)
class HistoryCheck:
    """Counts what was proved.

    Args:
        examples: events whose history was shown to end before them, all of the log.
        cut: histories that the reader cut and that were looked at event by event.
        possible: histories that there are: one a moment of a user, and one a user at
            the start of the validation and of the test window.
        seen: events in those that were cut.
    """

    examples: int
    cut: int
    possible: int
    seen: int


@dataclass(frozen=True)
class _Requests:
    """Holds what a reader is asked, int64 `[requests]` each."""

    user: np.ndarray
    end: np.ndarray
    timestamp: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    def at(self, rows: np.ndarray | slice) -> _Requests:
        return _Requests(self.user[rows], self.end[rows], self.timestamp[rows])


def check_histories(dataset: Dataset, history_length: int) -> HistoryCheck:
    """Checks every example of the log, and what the reader really cuts.

    An example is an event with the events before its moment; a basket's events share
    one moment, so they must not see each other.

    Args:
        dataset: whose event log is checked.
        history_length: L, as training has it.

    Raises:
        DataError: a history holds another user's event, or one that is not earlier
            than the moment of the request; names the first.
    """
    log = dataset.events
    _check_order(log)
    moments = (dataset.split.validation_start, dataset.split.test_start)
    requests = _requests(log, moments)
    _check_ends(log, requests)
    chosen = requests.at(_even_sample(len(requests), MOST_CELLS // history_length))
    reader = traced_reader(log, history_length)
    seen = sum(_check_cut(log, reader, part) for part in _steps(chosen))
    for part in _steps(chosen):
        _check_shared(log, reader, part)
    return HistoryCheck(len(log.item), len(chosen), len(requests), seen)


def traced_reader(log: EventLog, history_length: int) -> QueryReader:
    """Returns a reader whose item tokens are event positions + 1: they tell whence."""
    events = len(log.item)
    return QueryReader(
        dataclasses.replace(log, item=np.arange(events, dtype=np.int32)),
        item_token=np.arange(1, events + 1, dtype=np.int32),
        type_token=np.arange(1, len(log.type_weight) + 1, dtype=np.int32),
        profile={},
        context={},
        history_length=history_length,
    )


def _requests(log: EventLog, moments: tuple[int, ...]) -> _Requests:
    """Returns each distinct history of training, and everybody's at some moments."""
    end = log.history_end()
    first = np.unique(end, return_index=True)[1]
    users = np.arange(log.users)
    parts = [_Requests(log.user[first], end[first], log.timestamp[first])]
    for moment in moments:
        at = np.full(log.users, moment, np.int64)
        parts.append(_Requests(users, log.before(moment), at))
    columns = ("user", "end", "timestamp")
    return _Requests(*(np.concatenate([getattr(p, c) for p in parts]) for c in columns))


def _check_order(log: EventLog) -> None:
    backwards = np.diff(log.timestamp) < 0
    inner = log.row_splits[1:-1]
    backwards[inner[(inner > 0) & (inner < len(log.item))] - 1] = False
    if backwards.any():
        later = int(np.flatnonzero(backwards)[0])
        raise DataError(
            f"histories: user {_name(log, later)} has an event of "
            f"{_iso(log.timestamp[later])} before one of "
            f"{_iso(log.timestamp[later + 1])}; sequences must be sorted by time: "
            "prepare the dataset again"
        )


def _check_ends(log: EventLog, requests: _Requests) -> None:
    """Checks that each history ends inside its user's events and before its moment.

    Events are sorted, so the last one of a history decides for all.
    """
    start = log.row_splits[requests.user]
    has_any = requests.end > start
    last = np.where(has_any, requests.end - 1, 0)
    late = has_any & (log.timestamp[last] >= requests.timestamp)
    outside = requests.end < start
    outside |= requests.end > log.row_splits[requests.user + 1]
    for row in np.flatnonzero(late | outside)[:1]:
        raise _leak(log, requests, int(row), int(last[row]))


def _check_cut(log: EventLog, reader: QueryReader, requests: _Requests) -> int:
    """Looks at every event that the reader shows and returns their number."""
    answer = reader(requests.user, requests.end, requests.timestamp, requests.end)
    position = answer[HISTORY_ITEM_ID].numpy().astype(np.int64) - 1  # [requests, L]
    told = answer[HISTORY_TIMESTAMP].numpy()
    return _check_positions(log, requests, position, told)


def _check_shared(log: EventLog, reader: QueryReader, requests: _Requests) -> None:
    """Looks at what queries see of windows that they share, up to their own end."""
    answer = reader.shared(
        requests.user, requests.end, requests.timestamp, requests.end
    )
    window, end = answer[WINDOW].numpy(), answer[WINDOW_END].numpy()
    position = answer[HISTORY_ITEM_ID].numpy().astype(np.int64)[window] - 1
    seen = np.arange(position.shape[1]) < end[:, np.newaxis]
    told = answer[HISTORY_TIMESTAMP].numpy()[window]
    _check_positions(log, requests, np.where(seen, position, -1), told)


def _check_positions(
    log: EventLog, requests: _Requests, position: np.ndarray, told: np.ndarray
) -> int:
    """Checks the events at shown positions, -1 for none, and returns their number."""
    shown = position >= 0
    position = np.where(shown, position, 0)
    not_earlier = log.timestamp[position] >= requests.timestamp[:, np.newaxis]
    starts = log.row_splits[requests.user][:, np.newaxis]
    ends = log.row_splits[requests.user + 1][:, np.newaxis]
    strange = (position < starts) | (position >= ends)
    strange |= told != log.timestamp[position]
    for row, column in np.argwhere(shown & (not_earlier | strange))[:1]:
        raise _leak(log, requests, int(row), int(position[row, column]))
    return int(shown.sum())


def _leak(log: EventLog, requests: _Requests, row: int, position: int) -> DataError:
    user = log.user_id[requests.user[row]].decode()
    return DataError(
        f"histories: the history of user {user!r} at {_iso(requests.timestamp[row])} "
        f"holds an event of user {_name(log, position)} of "
        f"{_iso(log.timestamp[position])}; it may only hold the user's own, earlier "
        "events: prepare the dataset again, and report it if that does not help"
    )


def _name(log: EventLog, position: int) -> str:
    user = int(np.searchsorted(log.row_splits, position, "right")) - 1
    return repr(log.user_id[user].decode())


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _even_sample(there: int, most: int) -> np.ndarray:
    return np.linspace(0, there - 1, min(there, max(most, 1))).astype(np.int64)


def _steps(requests: _Requests) -> Iterator[_Requests]:
    for start in range(0, len(requests), QUERIES_A_STEP):
        yield requests.at(slice(start, start + QUERIES_A_STEP))
