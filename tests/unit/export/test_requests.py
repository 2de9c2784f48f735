"""Histories as clients send them, in the form that training used."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.export.requests import keep_most_recent

SEQUENCES = {
    "history_item_id": "",
    "history_event_type": "",
    "history_timestamp": 0,
}


def kept(rows, length):
    """Sends [[(item, type, time), ...], ...] and returns the same form of the answer.

    Other inputs, here `team`, must come back as they were.
    """
    columns = {
        name: np.array([[event[n] for event in row] for row in rows]).reshape(
            len(rows), -1
        )
        for n, name in enumerate(SEQUENCES)
    }
    query = {
        "history_item_id": tf.constant(columns["history_item_id"].tolist(), tf.string),
        "history_event_type": tf.constant(
            columns["history_event_type"].tolist(), tf.string
        ),
        "history_timestamp": tf.constant(
            columns["history_timestamp"].tolist(), tf.int64
        ),
    }
    width = len(rows[0])
    query = {name: tf.reshape(v, [len(rows), width]) for name, v in query.items()}
    query["team"] = tf.constant(["t"] * len(rows))
    answer = keep_most_recent(query, length)
    assert answer.keys() == query.keys()
    assert answer["team"].numpy().tolist() == [b"t"] * len(rows)
    assert all(answer[name].shape == (len(rows), length) for name in SEQUENCES)
    arrays = [answer[name].numpy().tolist() for name in SEQUENCES]
    return [
        [(i.decode(), t.decode(), s) for i, t, s in zip(*row, strict=True)]
        for row in zip(*arrays, strict=True)
    ]


NOTHING = ("", "", 0)
A, B, C, D = (("a", "buy", 10), ("b", "view", 20), ("c", "buy", 30), ("d", "buy", 40))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([A, B, C], [A, B, C]),
        ([A, B], [NOTHING, A, B]),
        ([A, B, C, D], [B, C, D]),
        ([NOTHING, NOTHING, A, B], [NOTHING, A, B]),
        ([A, B, NOTHING, NOTHING], [NOTHING, A, B]),
        ([NOTHING, A, B, C, D, NOTHING], [B, C, D]),
        ([A, NOTHING, B], [NOTHING, A, B]),
        ([NOTHING] * 5, [NOTHING] * 3),
        ([NOTHING], [NOTHING] * 3),
        ([], [NOTHING] * 3),
    ],
)
def test_the_last_events_stand_behind_the_padding(sent, expected):
    assert kept([sent], 3) == [expected]


def test_each_row_of_a_batch_is_sorted_by_itself():
    rows = [[A, NOTHING], [NOTHING, B], [C, D], [NOTHING, NOTHING]]
    assert kept(rows, 1) == [[A], [B], [D], [NOTHING]]


def test_an_empty_batch_stays_empty():
    query = {
        name: tf.zeros([0, 2], tf.string if pad == "" else tf.int64)
        for name, pad in SEQUENCES.items()
    }
    answer = keep_most_recent(query, 3)
    assert [tuple(answer[name].shape) for name in SEQUENCES] == [(0, 3)] * 3


EVENTS = st.tuples(
    st.sampled_from(["a", "b", "é"]), st.sampled_from(["", "buy"]), st.integers(1, 9)
)


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 6).flatmap(
        lambda width: st.lists(
            st.lists(EVENTS | st.just(NOTHING), min_size=width, max_size=width),
            min_size=1,
            max_size=3,
        )
    ),
    st.integers(1, 5),
)
def test_no_event_is_lost_or_moved(rows, length):
    for row, answer in zip(rows, kept(rows, length), strict=True):
        real = [event for event in row if event[0]][-length:]
        assert answer == [NOTHING] * (length - len(real)) + real
