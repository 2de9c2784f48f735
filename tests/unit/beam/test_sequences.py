import itertools
import math
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam.sequences import histories, records

NAN = float("nan")
LARGE = pa.large_string()


def shuffled(seed):
    random.seed(seed)
    rows = [
        (
            random.choice(["u", "ü", "10", "9"]),
            random.randrange(3),
            random.randrange(2),
            random.choice([None, 1.0, 2.0, -1.5, -3.0]),
            random.choice([None, "", "b", "a"]),
        )
        for _ in range(400)
    ]
    types = [LARGE, pa.int64(), pa.int32(), pa.float32(), LARGE]
    names = ["user_id", "timestamp", "item_id", "price", "session_id"]
    columns = [
        pa.array(c, t) for c, t in zip(zip(*rows, strict=True), types, strict=True)
    ]
    return rows, pa.table(columns, names=names)


def coded(table):
    """Returns the table in chunks, each with codes into texts of its own."""
    parts = [table.slice(start, 100) for start in range(0, len(table), 100)]
    for name in ("user_id", "session_id"):
        place = table.column_names.index(name)
        parts = [
            part.set_column(
                place, name, part[name].combine_chunks().dictionary_encode()
            )
            for part in parts
        ]
    return pa.concat_tables(parts)


@pytest.mark.parametrize("as_sent", [coded, lambda table: table])
@pytest.mark.parametrize("seed", range(5))
def test_sorted_once_each_whatever_the_order(seed, as_sent):
    rows, table = shuffled(seed)
    found = histories(as_sent(table))
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
    assert rows_of(records(found.user, found.user)) == []
    assert list(records(found.user, found.user).batches(10)) == []


def rows_of(cut):
    columns = (cut.user, cut.start, cut.stop, cut.target_start)
    return list(zip(*(c.tolist() for c in columns), strict=True))


def test_one_record_a_user():
    user = np.array([0, 0, 0, 2, 2, 5])
    expected = [(0, 0, 3, 0), (2, 3, 5, 0), (5, 5, 6, 0)]
    assert rows_of(records(user, np.zeros(6, int))) == expected


@pytest.mark.parametrize("events", [1, 9, 10, 11, 20, 21, 35])
def test_a_long_history_is_cut_with_an_overlap(events):
    user, times = np.zeros(events, dtype=int), np.arange(events)
    cut = rows_of(records(user, times, max_targets=10, overlap=3))
    targets = [range(start + target, stop) for _, start, stop, target in cut]
    assert list(itertools.chain(*targets)) == list(range(events))
    for _, start, stop, target in cut:
        assert target == min(3, start + target)
        assert stop - start <= 13


@given(
    st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=12), max_size=3),
    st.integers(1, 5),
    st.integers(0, 4),
)
def test_every_event_finds_the_history_before_its_moment(users, max_targets, overlap):
    """Also where a cut would fall into a basket, and where one fills a record."""
    rows = [(u, time) for u, times in enumerate(users) for time in sorted(times)]
    user, times = np.array(rows, int).reshape(-1, 2).T
    cut = rows_of(records(user, times, max_targets, overlap))
    targets = [
        ((start, stop), n)
        for _, start, stop, target in cut
        for n in range(start + target, stop)
    ]
    assert [n for _, n in targets] == list(range(len(rows)))
    for (start, stop), n in targets:
        earlier = [
            m
            for m, row in enumerate(rows)
            if row[0] == rows[n][0] and row[1] < rows[n][1]
        ]
        held = [m for m in earlier if start <= m < stop]
        wanted = earlier[-overlap:] if overlap else []
        assert held[len(held) - len(wanted) :] == wanted
    for _, start, stop, target in cut:
        own = times[start + target : stop]
        assert len(own) <= max_targets or len(set(own.tolist())) == 1


@pytest.mark.parametrize("size", [1, 7, 12, 1000])
def test_batches_hold_every_record_once(size):
    user = np.repeat([0, 3, 4, 9], [25, 1, 7, 12])
    cut = records(user, np.arange(45), max_targets=10, overlap=3)
    parts = list(cut.batches(size))
    assert [row for part in parts for row in rows_of(part)] == rows_of(cut)
    for part in parts:
        events = part.events.to_numpy()
        for index, (_, start, stop, _) in enumerate(rows_of(part)):
            begin, end = part.splits[index : index + 2]
            assert events[begin:end].tolist() == list(range(start, stop))
