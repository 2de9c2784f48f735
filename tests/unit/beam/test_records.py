import math

import numpy as np
import pyarrow as pa
import pytest

from beam.example_messages import features_in
from beam.records import Profiles, row_entries, row_records, sequence_records
from beam.sequences import Histories
from beam.tables import Column, TablePlan, Values

LARGE = pa.large_string()
EVENTS = TablePlan(
    "events",
    (
        Column("event_type", Values.TEXT),
        Column("item_id", Values.ID),
        Column("price", Values.NUMBER),
        Column("session_id", Values.TEXT),
        Column("timestamp", Values.TIMESTAMP),
        Column("user_id", Values.ID),
    ),
    event_types=("cart", "purchase"),
)
AGE = Column("age", Values.TEXT)


def read(parts):
    """Returns name -> values of each record."""
    records = [record for part in parts for record in part.to_pylist()]
    return [
        {
            name: list(getattr(feature, feature.WhichOneof("kind")).value)
            for name, feature in features_in(record).items()
        }
        for record in records
    ]


@pytest.mark.parametrize("batch", [1, 3, 1000])
@pytest.mark.parametrize("catalogue", [3, 400])
def test_a_sequence_a_user(catalogue, batch, monkeypatch):
    monkeypatch.setattr("beam.records._EVENTS", batch)
    table = pa.table(
        {
            "timestamp": pa.array([5, 6, -7, 2**40], pa.int64()),
            "item_id": pa.array([2, 0, 1, 2], pa.int32()),
            "event_type": pa.array([1, 0, 1, 1], pa.int16()),
            "price": pa.array([1.5, None, 0.0, -2.0], pa.float32()),
            "session_id": pa.array(["s", None, "t", ""], LARGE).dictionary_encode(),
        }
    )
    user = np.array([0, 0, 1, 2])
    events = Histories(table, user, ["a", "b", "ü"], duplicates=0)
    items = pa.array([f"item {place}" for place in range(catalogue)], LARGE)
    known = pa.table({"age": pa.array(["30", None], LARGE)})
    profiles = Profiles(pa.array(["ü", "b"], LARGE), row_entries(known, [AGE]))
    first, second, third = read(sequence_records(events, EVENTS, items, profiles))
    assert math.isnan(first["price"].pop())
    assert first == {
        "user_id": [b"a"],
        "target_start": [0],
        "timestamp": [5, 6],
        "item_id": [b"item 2", b"item 0"],
        "event_type": [b"purchase", b"cart"],
        "price": [1.5],
        "session_id": [b"s", b""],
    }
    assert (second["user_id"], second["timestamp"], second["age"]) == (
        [b"b"], [-7], [b""],
    )  # fmt: skip
    assert (third["user_id"], third["timestamp"], third["age"]) == (
        ["ü".encode()], [2**40], [b"30"],
    )  # fmt: skip


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_record_a_row(batch, monkeypatch):
    monkeypatch.setattr("beam.records._ROWS", batch)
    columns = [Column("item_id", Values.ID), AGE, Column("size", Values.NUMBER)]
    table = pa.table(
        {
            "item_id": pa.array(["i", "jj", "k"], LARGE),
            "age": pa.array(["x", None, "yy"], LARGE),
            "size": pa.array([1.0, 2.5, -3.0], pa.float32()),
        }
    )
    assert read(row_records(table, columns)) == [
        {"item_id": [b"i"], "age": [b"x"], "size": [1.0]},
        {"item_id": [b"jj"], "age": [b""], "size": [2.5]},
        {"item_id": [b"k"], "age": [b"yy"], "size": [-3.0]},
    ]
    assert list(row_records(table.slice(0, 0), columns)) == []


def test_a_profile_may_be_absent_everywhere():
    nobody = Profiles(pa.array([], LARGE), {})
    assert nobody.of(pa.array(["a"], LARGE)) == {}
    empty = row_entries(pa.table({"age": pa.array([], LARGE)}), [AGE])
    absent = Profiles(pa.array([], LARGE), empty).of(pa.array(["a"], LARGE))
    assert absent["age"].to_pylist() == [None]
