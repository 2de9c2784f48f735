"""The gate sees what differs, and what crosses between the processes is unharmed."""

import json

import numpy as np
import pytest

from tests.runtime.exchange import Run
from tests.runtime.gate import Agreement


def answer(ids, scores):
    return {
        "item_id": np.array(ids, dtype=object),
        "score": np.array(scores, np.float32),
    }


OURS = answer([[b"a", b"b"], [b"c", b""]], [[0.5, 0.25], [0.125, 0]])


@pytest.mark.parametrize(
    ("theirs", "same", "difference"),
    [
        (answer([[b"a", b"b"], [b"c", b""]], [[0.5, 0.25], [0.125, 0]]), 2, 0.0),
        (answer([[b"a", b"b"], [b"x", b""]], [[0.5, 0.25], [0.125, 0]]), 1, 0.0),
        (answer([[b"b", b"a"], [b"x", b""]], [[0.5, 0.25], [0.125, 0]]), 0, 0.0),
        (answer([[b"a", b"b"], [b"c", b""]], [[0.5, 0.25], [0.375, 0]]), 2, 0.25),
    ],
)
def test_rows_with_the_same_ids_are_counted(theirs, same, difference):
    agreement = Agreement()
    agreement.add(OURS, theirs)
    agreement.add(OURS, OURS)
    assert (agreement.rows, agreement.same) == (4, same + 2)
    assert agreement.difference == difference


def test_a_nan_is_a_difference():
    agreement = Agreement()
    agreement.add(OURS, answer([[b"a", b"b"], [b"c", b""]], [[0.5, np.nan], [0, 0]]))
    assert not agreement.difference < 1


def test_answers_of_other_shapes_are_refused():
    with pytest.raises(AssertionError):
        Agreement().add(OURS, answer([[b"a"], [b"c"]], [[0.5], [0.125]]))


def test_requests_survive_the_way_through_json():
    feeds = {
        "ids:0": np.array([[b"\xff\x00", b""]], dtype=object),
        "none:0": np.zeros((1, 0), np.int64),
        "nan:0": np.array([np.nan, 0.1], np.float32),
        "k:0": np.array(7, np.int32),
    }
    run = Run.of(json.loads(json.dumps(Run(feeds, {"out": "node:1"}).plain())))
    assert run.fetches == {"out": "node:1"}
    for name, value in feeds.items():
        assert run.feeds[name].dtype == value.dtype
        np.testing.assert_array_equal(run.feeds[name], value)
