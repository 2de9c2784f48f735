"""Returns against a loop that keeps every unit that was bought on a list."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from beam.returns import without_returns

EVENT = st.tuples(
    st.integers(0, 1),  # user
    st.integers(0, 3),  # time
    st.integers(0, 1),  # item
    st.integers(0, 1),  # type
    st.sampled_from([None, 0, 1, 2, 3, -1, -2, -5]),
)


def span_of(time):
    return int(time >= 2)


def standing(events):
    """[(user, time, item, type, quantity)] that are left."""
    rows = sorted(events, key=lambda e: e[:4])
    events = [[*e[:4], 1 if e[4] is None else e[4]] for e in rows]
    gone = set()
    for place, (user, time, item, kind, quantity) in enumerate(events):
        if quantity >= 0:
            continue
        gone.add(place)
        units = -quantity
        for earlier in reversed(range(place)):
            other = events[earlier]
            same = (other[0], other[2], other[3]) == (user, item, kind)
            if same and span_of(other[1]) == span_of(time) and other[4] > 0:
                taken = min(units, other[4])
                units -= taken
                other[4] -= taken
                if other[4] == 0:
                    gone.add(earlier)
    return [tuple(e) for place, e in enumerate(events) if place not in gone]


def table_of(events):
    names = ("user", "timestamp", "item_id", "event_type", "quantity")
    columns = dict(zip(names, zip(*events, strict=True), strict=True))
    return pa.table(
        {
            "timestamp": pa.array(columns["timestamp"], pa.int64()),
            "item_id": pa.array(columns["item_id"], pa.int32()),
            "event_type": pa.array(columns["event_type"], pa.int16()),
            "quantity": pa.array(columns["quantity"], pa.float32()),
        }
    ), np.array(columns["user"], np.int64)


@given(st.lists(EVENT, min_size=1, max_size=12))
def test_returns_undo_the_newest_events_like_a_loop(events):
    events = sorted(events, key=lambda e: e[:4])
    table, user = table_of(events)
    spans = np.array([span_of(e[1]) for e in events])
    left, stands = without_returns(table, user, spans)
    found = list(
        zip(
            user[stands].tolist(),
            left.column("timestamp").to_pylist(),
            left.column("item_id").to_pylist(),
            left.column("event_type").to_pylist(),
            left.column("quantity").fill_null(1).to_pylist(),
            strict=True,
        )
    )
    assert found == standing(events)


def test_a_part_of_a_purchase_goes_back():
    table, user = table_of([(0, 0, 7, 0, 10.0), (0, 1, 7, 0, -3.0)])
    left, _ = without_returns(table, user, np.zeros(2, np.int64))
    assert left.column("quantity").to_pylist() == [7.0]


def test_without_returns_nothing_changes():
    table, user = table_of([(0, 0, 7, 0, None), (0, 1, 7, 0, 0.0)])
    left, stands = without_returns(table, user, np.zeros(2, np.int64))
    assert left is table
    assert stands.all()
