import math
import struct

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import tfrs_app  # noqa: F401  (before TensorFlow: it asks for Keras 2)
from beam.examples import text_entry
from beam.records import EventColumn
from beam.rows import TrainingRows
from beam.sequences import Histories

WEIGHTS = {"view": 0.25, "purchase": 1.0}
EVENTS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([-(2**40), -1, 0, 1, 127, 128, 2**40]),
            st.binary(min_size=1, max_size=300),
            st.sampled_from([b"view", b"purchase"]),
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
    table = pa.table({"timestamp": pa.array(times, pa.int64())})
    events = Histories(table, user.astype(int), [f"u{n}" for n in range(len(users))], 0)
    columns = [
        EventColumn("item_id", "bytes_list", list(items)),
        EventColumn("event_type", "bytes_list", list(kinds)),
        EventColumn("context_price_seen", "float_list", list(prices)),
        EventColumn("timestamp", "int64_list", list(times)),
    ]
    made = TrainingRows(events, columns, WEIGHTS, profiles or {}, length)
    chosen = np.ones(len(rows), bool) if wanted is None else np.array(wanted, bool)
    for record in made.of(chosen):
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
                    "history_item_id": [event[1] for event in seen],
                    "history_event_type": [event[2] for event in seen],
                    "history_timestamp": [event[0] for event in seen],
                    "item_id": [item],
                    "event_type": [kind],
                    "timestamp": [time],
                    "weight": [0.25 if kind == b"view" else 1.0],
                    "price_seen": [price],
                }
            )
    assert list(rows_of(users, length)) == expected


def test_only_the_wanted_events_become_rows_and_all_are_history():
    users = [[(n, b"%d" % n, b"view", 0.0) for n in range(5)], [(9, b"x", b"view", 0)]]
    found = list(rows_of(users, 9, wanted=[0, 0, 1, 0, 1, 0]))
    assert [row["item_id"] for row in found] == [[b"2"], [b"4"]]
    assert found[1]["history_item_id"] == [b"0", b"1", b"2", b"3"]


def test_the_profile_stands_in_every_row_of_its_user_and_in_no_other():
    profiles = {
        "u1": {
            "user_id": text_entry("user_id", [b"u1"]),
            "city": text_entry("city", [b"Ulm"]),
        }
    }
    users = [[(1, b"a", b"view", 0.0)], [(1, b"a", b"view", 0.0)] * 2]
    cities = [row.get("city") for row in rows_of(users, 2, profiles=profiles)]
    assert cities == [None, [b"Ulm"], [b"Ulm"]]


def test_a_missing_number_is_nan():
    (row,) = rows_of([[(1, b"a", b"view", math.nan)]], 2)
    assert struct.pack("<f", row["price_seen"][0]) == struct.pack("<f", math.nan)


def test_an_event_type_without_a_weight_is_no_row():
    with pytest.raises(KeyError):
        list(rows_of([[(1, b"a", b"return", 0.0)]], 2))
