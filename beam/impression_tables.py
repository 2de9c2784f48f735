"""Reads tables of impressions: which lists a shop showed, to whom and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.coercion import as_numbers, as_seconds, as_text
from beam.reading import check_types, columns_of_file, read
from beam.sources import InputFile, digests_of, input_files, splits_of
from tfrs_app.contract.artifacts import identity_of
from tfrs_app.contract.data_config import TableConfig
from tfrs_app.contract.dataset import TIMESTAMP
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID, USER_ID
from tfrs_app.contract.impressions import (
    LIST_ID,
    POSITION,
    SAMPLING_RATE,
    SIGNATURE,
)
from tfrs_app.contract.privacy import UserKey
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.contract.signatures import RECOMMEND, SERVING_DEFAULT
from tfrs_app.data.shown_lists import ShownLists, grouped

NEEDED = (USER_ID, ITEM_ID, TIMESTAMP, POSITION, LIST_ID)
OPTIONAL = (SIGNATURE, SAMPLING_RATE)
"""Where they are absent, every list is one of `recommend` and stands for itself."""
_SIGNATURES = (RECOMMEND, SERVING_DEFAULT)
_IMPOSSIBLE = "user, item, list, time, place or rate is missing or impossible"


@dataclass
class RowCounts:
    """Counts rows of a table of impressions by what became of them.

    Attributes:
        rows: that were read.
        used: that are part of a list.
        lists: that they are part of, of which some may be drawn.
        left_out: reason -> rows.
    """

    rows: int = 0
    used: int = 0
    lists: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def impressions_identity(config: RankingConfig) -> str | None:
    """Returns what changes with the impressions' files; None: there are none.

    Raises:
        DataError: no file is there.
    """
    if config.impressions is None:
        return None
    return identity_of(files=digests_of(_files(config.impressions.source)))


def read_impressions(
    config: RankingConfig,
    users: np.ndarray,
    items: np.ndarray,
    user_key: UserKey | None,
    span_s: tuple[int, int],
) -> tuple[ShownLists, RowCounts]:
    """Reads the lists that were shown within a span and all whose labels lie in it.

    Args:
        config: names the table.
        users: ids that are meant, bytes `[users]`.
        items: ids that are meant, bytes `[items]`.
        user_key: of the dataset's hash that replaces user ids; None: they stay.
        span_s: its begin and its end, seconds since the epoch.

    Returns:
        The lists, by rows of `users` and `items`; and what became of the table's rows.

    Raises:
        DataError: a file or column is missing, a file is corrupt, or no row is left.
    """
    impressions = config.impressions
    assert impressions is not None
    files = _files(impressions.source)
    within_s = round(impressions.within_hours * 3600)
    start_s, end_s = span_s
    reader = _Reader(users, items, user_key, (start_s, end_s - within_s))
    for split in splits_of([files]):
        for batch in read(split, reader.columns(split.file)):
            reader.read(batch.table, len(batch.rejects))
    told = reader.told
    if not told.used:
        reasons = "; ".join(f"{n:,} x {why}" for why, n in told.left_out.most_common())
        raise DataError(
            f"ranking.impressions.source: none of {told.rows:,} rows of "
            f"{impressions.source!r} can be used: {reasons or 'the table is empty'}; "
            "name a table of the days before the test, or drop the section"
        )
    kept = reader.kept()
    told.lists = len(np.unique(kept["list_id"]))
    lists = grouped(
        **kept,
        within_s=within_s,
        at_most=impressions.lists,
        random=np.random.default_rng(config.seed),
    )
    return lists, told


def _files(source: str) -> tuple[InputFile, ...]:
    return input_files(TableConfig(source=source), "ranking.impressions")


class _Reader:
    """Keeps what can be used of a table's batches, and counts the rest."""

    def __init__(
        self,
        users: np.ndarray,
        items: np.ndarray,
        user_key: UserKey | None,
        moments_s: tuple[int, int],
    ) -> None:
        self.told = RowCounts()
        self._users = pa.array(users.tolist(), pa.large_binary())
        self._items = pa.array(items.tolist(), pa.large_binary())
        self._key, (self._first_s, self._last_s) = user_key, moments_s
        self._parts: list[dict[str, np.ndarray]] = []
        self._lists: list[Any] = []

    def columns(self, file: InputFile) -> list[str]:
        """Returns the columns to be read.

        Raises:
            DataError: one is missing or of no type that can be used.
        """
        there = columns_of_file(file)
        missing = [name for name in NEEDED if name not in there]
        if missing:
            raise DataError(
                f"ranking.impressions.source: {file.path} has no column {missing[0]!r};"
                " make the table with `tfrs-app impressions`, or name its columns so"
            )
        columns = [*NEEDED, *(name for name in OPTIONAL if name in there)]
        check_types(file, columns)
        return columns

    def read(self, table: Any, unreadable: int) -> None:
        """Takes a batch of rows in."""
        rows = len(table)
        table = {name: table[name].combine_chunks() for name in table.column_names}
        user, item, list_id = (as_text(table[n]) for n in (USER_ID, ITEM_ID, LIST_ID))
        seconds, _ = as_seconds(table[TIMESTAMP], "UTC")
        place = _numbers(table[POSITION])
        rate = (
            _numbers(table[SAMPLING_RATE]) if SAMPLING_RATE in table else np.ones(rows)
        )
        user_row = self._user_rows(user)
        item_row = _rows_of(self._items, item)
        second = _numpy(seconds, self._first_s - 1)
        whole = _known(user, item, list_id, seconds) & _are_places(place)
        left = self._counted(
            {
                _IMPOSSIBLE: whole & (rate > 0) & (rate <= 1),
                "shown at other times": (second >= self._first_s)
                & (second <= self._last_s),
                "of other signatures": _recommended(table.get(SIGNATURE), rows),
                "of users without events": user_row >= 0,
                "of items that are not in the catalogue": item_row >= 0,
            },
            unreadable,
        )
        self._lists.append(list_id.filter(pa.array(left)))
        self._parts.append(
            {
                "user": user_row[left],
                "moment_s": second[left],
                "row": item_row[left].astype(np.int32),
                "place": place[left].astype(np.int32),
                "weight": 1.0 / rate[left],
            }
        )

    def _counted(self, reasons: dict[str, np.ndarray], unreadable: int) -> np.ndarray:
        """Counts each row by the first reason to leave it out; returns those left."""
        left = np.ones(len(reasons[_IMPOSSIBLE]), bool)
        for reason, good in reasons.items():
            self.told.left_out[reason] += int((left & ~good).sum())
            left &= good
        self.told.left_out["unreadable"] += unreadable
        self.told.left_out = +self.told.left_out  # zeros go
        self.told.rows += len(left) + unreadable
        self.told.used += int(left.sum())
        return left

    def kept(self) -> dict[str, np.ndarray]:
        """Returns the usable rows, one array a column."""
        joined = {
            name: np.concatenate([part[name] for part in self._parts])
            for name in self._parts[0]
        }
        ids = pa.concat_arrays(self._lists).dictionary_encode()
        return {"list_id": ids.indices.to_numpy().astype(np.int64), **joined}

    def _user_rows(self, user: Any) -> np.ndarray:
        """Returns users' rows by ids that are the dataset's, or are yet to be hashed.

        A request log has hashed ids, a shop's own table may have others.
        """
        rows = _rows_of(self._users, user)
        if self._key is None:
            return rows
        encoded = user.dictionary_encode()
        hashed = map(self._key.pseudonym, encoded.dictionary.to_pylist())
        others = pa.array(hashed, pa.large_string()).take(encoded.indices)
        return np.where(rows >= 0, rows, _rows_of(self._users, others))


def _numbers(column: Any) -> np.ndarray:
    """Returns float64; -1 where there is no number."""
    return _numpy(as_numbers(column)[0], -1.0)


def _known(*columns: Any) -> np.ndarray:
    """Returns which rows have a value in each column."""
    known: np.ndarray = np.all([_numpy(c.is_valid(), False) for c in columns], axis=0)
    return known


def _are_places(place: np.ndarray) -> np.ndarray:
    most = np.iinfo(np.int32).max
    whole: np.ndarray = place == np.floor(place)
    return whole & (place >= 0) & (place <= most)


def _recommended(signature: Any, rows: int) -> np.ndarray:
    if signature is None:
        return np.ones(rows, bool)
    wanted = pa.array(_SIGNATURES, pa.large_string())
    return _numpy(pc.is_in(as_text(signature), wanted), False)


def _rows_of(ids: Any, asked: Any) -> np.ndarray:
    """Returns where each id stands, int64; -1: nowhere."""
    return _numpy(pc.index_in(asked.cast(pa.large_binary()), ids), -1).astype(np.int64)


def _numpy(values: Any, missing: Any) -> np.ndarray:
    filled: np.ndarray = pc.fill_null(values, missing).to_numpy(zero_copy_only=False)
    return filled
