import itertools
import math
import random

import numpy as np
import pyarrow as pa
import pytest

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
    assert list(records(found.user)) == []


def test_one_record_a_user():
    user = np.array([0, 0, 0, 2, 2, 5])
    expected = [Record(0, 0, 3, 0), Record(2, 3, 5, 0), Record(5, 5, 6, 0)]
    assert list(records(user)) == expected


@pytest.mark.parametrize("events", [1, 9, 10, 11, 20, 21, 35])
def test_a_long_history_is_cut_with_an_overlap(events):
    cut = list(records(np.zeros(events, dtype=int), max_targets=10, overlap=3))
    targets = [range(r.start + r.target_start, r.stop) for r in cut]
    assert list(itertools.chain(*targets)) == list(range(events))
    for record in cut:
        assert record.target_start == min(3, record.start + record.target_start)
        assert record.stop - record.start <= 13
