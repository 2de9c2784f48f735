import itertools
import math
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam.sequences import Record, histories, records

NAN = float("nan")
LARGE = pa.large_string()


def shuffled(seed):
    random.seed(seed)
    rows = [
        (
            random.choice(["u", "ü", "10", "9"]),
            random.randrange(3),
            random.randrange(2),
            random.choice([None, 1.0, 2.0]),
            random.choice([None, "", "b", "a"]),
        )
        for _ in range(400)
    ]
    types = [LARGE, pa.int64(), pa.int32(), pa.float64(), LARGE]
    names = ["user_id", "timestamp", "item_id", "price", "session_id"]
    columns = [
        pa.array(c, t) for c, t in zip(zip(*rows, strict=True), types, strict=True)
    ]
    return rows, pa.table(columns, names=names)


@pytest.mark.parametrize("seed", range(5))
def test_sorted_once_each_whatever_the_order(seed):
    rows, table = shuffled(seed)
    found = histories(table)
    unique = set(rows)
    expected = sorted(
        unique,
        key=lambda r: (
            r[0].encode(), r[1], r[2], math.inf if r[3] is None else r[3],
            (r[4] is not None, r[4]),
        ),
    )  # fmt: skip
    users = [found.users[code] for code in found.user]
    columns = [found.table[c].to_pylist() for c in ("timestamp", "item_id", "price")]
    session = found.table["session_id"].to_pylist()
    assert list(zip(users, *columns, session, strict=True)) == expected
    assert found.duplicates == len(rows) - len(unique)


def test_no_events():
    _, table = shuffled(0)
    found = histories(table.slice(0, 0))
    assert len(found.table) == found.duplicates == 0
    assert list(records(found.user, np.array([], int))) == []


def test_one_record_a_user():
    user = np.array([0, 0, 0, 2, 2, 5])
    expected = [Record(0, 0, 3, 0), Record(2, 3, 5, 0), Record(5, 5, 6, 0)]
    assert list(records(user, np.zeros(6, int))) == expected


@pytest.mark.parametrize("events", [1, 9, 10, 11, 20, 21, 35])
def test_a_long_history_is_cut_with_an_overlap(events):
    user, times = np.zeros(events, dtype=int), np.arange(events)
    cut = list(records(user, times, max_targets=10, overlap=3))
    targets = [range(r.start + r.target_start, r.stop) for r in cut]
    assert list(itertools.chain(*targets)) == list(range(events))
    for record in cut:
        assert record.target_start == min(3, record.start + record.target_start)
        assert record.stop - record.start <= 13


@given(
    st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=12), max_size=3),
    st.integers(1, 5),
    st.integers(0, 4),
)
def test_every_event_finds_the_history_before_its_moment(users, max_targets, overlap):
    """Also where a cut would fall into a basket, and where one fills a record."""
    rows = [(u, time) for u, times in enumerate(users) for time in sorted(times)]
    user, times = np.array(rows, int).reshape(-1, 2).T
    cut = list(records(user, times, max_targets, overlap))
    targets = [
        (record, n)
        for record in cut
        for n in range(record.start + record.target_start, record.stop)
    ]
    assert [n for _, n in targets] == list(range(len(rows)))
    for record, n in targets:
        earlier = [
            m
            for m, row in enumerate(rows)
            if row[0] == rows[n][0] and row[1] < rows[n][1]
        ]
        held = [m for m in earlier if record.start <= m < record.stop]
        wanted = earlier[-overlap:] if overlap else []
        assert held[len(held) - len(wanted) :] == wanted
    for record in cut:
        own = times[record.start + record.target_start : record.stop]
        assert len(own) <= max_targets or len(set(own.tolist())) == 1
