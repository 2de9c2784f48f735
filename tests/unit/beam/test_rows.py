import math
import struct

import numpy as np
import pyarrow as pa
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import tfrs_app  # noqa: F401  (before TensorFlow: it asks for Keras 2)
from beam.records import Profiles, row_entries
from beam.rows import TrainingRows
from beam.sequences import Histories
from beam.tables import Column, TablePlan, Values

WEIGHTS = {"view": 0.25, "purchase": 1.0}
PLAN = TablePlan(
    "events",
    (
        Column("event_type", Values.TEXT),
        Column("item_id", Values.ID),
        Column("timestamp", Values.TIMESTAMP),
        Column("user_id", Values.ID),
        Column("context_price_seen", Values.NUMBER),
    ),
    event_types=("purchase", "view"),
)
EVENTS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([-(2**40), -1, 0, 1, 127, 128, 2**40]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
            st.sampled_from(["view", "purchase"]),
            st.floats(width=32, allow_nan=False),
        ),
        min_size=1,
        max_size=6,
    ).map(sorted),
    max_size=4,
)


def rows_of(users, length, wanted=None, profiles=None):
    """The parsed rows of `[[(time, item, type, price), ...], ...]`."""
    user = np.repeat(np.arange(len(users)), [len(events) for events in users])
    rows = [event for events in users for event in events]
    times, items, kinds, prices = zip(*rows, strict=True) if rows else ([],) * 4
    catalogue = sorted({"never sold", *items})
    table = pa.table(
        {
            "timestamp": pa.array(times, pa.int64()),
            "item_id": pa.array([catalogue.index(item) for item in items], pa.int32()),
            "event_type": pa.array([PLAN.event_types.index(k) for k in kinds], "int16"),
            "context_price_seen": pa.array(prices, pa.float32()),
        }
    )
    made = TrainingRows(
        events=Histories(table, user.astype(int), [f"u{n}" for n in range(9)], 0),
        plan=PLAN,
        item_ids=pa.array(catalogue, pa.large_string()),
        weights=WEIGHTS,
        profiles=profiles or Profiles(),
        history_length=length,
    )
    chosen = np.ones(len(rows), bool) if wanted is None else np.array(wanted, bool)
    for record in (record for part in made.of(chosen) for record in part.to_pylist()):
        assert record.count(b"\x07user_id") == 1  # parsers warn of a repeated key
        features = tf.train.Example.FromString(record).features.feature
        yield {
            name: list(getattr(feature, feature.WhichOneof("kind")).value)
            for name, feature in features.items()
        }


@settings(max_examples=100, deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_rows_are_what_a_plain_loop_finds(users, length):
    expected = []
    for number, events in enumerate(users):
        for time, item, kind, price in events:
            seen = [event for event in events if event[0] < time][-length:]
            expected.append(
                {
                    "user_id": [b"u%d" % number],
                    "history_item_id": [event[1].encode() for event in seen],
                    "history_event_type": [event[2].encode() for event in seen],
                    "history_timestamp": [event[0] for event in seen],
                    "item_id": [item.encode()],
                    "event_type": [kind.encode()],
                    "timestamp": [time],
                    "weight": [0.25 if kind == "view" else 1.0],
                    "price_seen": [price],
                }
            )
    assert list(rows_of(users, length)) == expected


def test_only_the_wanted_events_become_rows_and_all_are_history():
    users = [[(n, str(n), "view", 0.0) for n in range(5)], [(9, "x", "view", 0.0)]]
    found = list(rows_of(users, 9, wanted=[0, 0, 1, 0, 1, 0]))
    assert [row["item_id"] for row in found] == [[b"2"], [b"4"]]
    assert found[1]["history_item_id"] == [b"0", b"1", b"2", b"3"]


def test_the_profile_stands_in_every_row_of_its_user_and_in_no_other():
    table = pa.table({"user_id": ["u1"], "city": ["Ulm"]})
    columns = [Column("user_id", Values.ID), Column("city", Values.TEXT)]
    profiles = Profiles(pa.array(["u1"], "large_string"), row_entries(table, columns))
    users = [[(1, "a", "view", 0.0)], [(1, "a", "view", 0.0)] * 2]
    cities = [row.get("city") for row in rows_of(users, 2, profiles=profiles)]
    assert cities == [None, [b"Ulm"], [b"Ulm"]]


def test_a_missing_number_is_nan():
    (row,) = rows_of([[(1, "a", "view", math.nan)]], 2)
    assert struct.pack("<f", row["price_seen"][0]) == struct.pack("<f", math.nan)
