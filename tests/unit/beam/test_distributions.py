import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam.distributions import Keyed, binned, top_tokens


def keyed(counts):
    tokens = sorted(counts)
    return Keyed(
        keys=pa.array(tokens, pa.large_string()),
        counts=np.array([[counts[token], 1] for token in tokens]),
        nulls=np.array([2, 3]),
    )


def test_tokens_are_listed_by_rows_then_bytes():
    found = top_tokens(keyed({"b": 5, "é": 5, "a": 5, "z": 7, "y": 1}), 4, 1)
    assert list(found.listed.items()) == [("z", 8), ("a", 6), ("b", 6), ("é", 6)]
    assert found.other == 2
    assert found.nulls == 5


def test_tokens_below_the_threshold_are_others():
    found = top_tokens(keyed({"a": 3, "b": 1}), 4, 3)
    assert found.listed == {"a": 4}
    assert found.other == 2


def test_few_values_keep_a_bin_each():
    found = binned(np.array([-1.0, 2.0]), np.array([7, 1]), nulls=4)
    assert found.low == found.high == [-1.0, 2.0]
    assert found.count == [7, 1]
    assert found.nulls == 4


def test_no_value_is_no_bin():
    found = binned(np.zeros(0), np.zeros(0, np.int64))
    assert found.low == found.high == found.count == []


@given(st.lists(st.integers(1, 50), min_size=257, max_size=900))
def test_many_values_share_bins_that_hold_about_as_many_rows(counts):
    values = np.arange(len(counts), dtype=np.float64)
    found = binned(values, np.array(counts))
    assert len(found.count) <= 256
    ends, share = [-1.0, *found.high], sum(counts) / 256
    for low, high, before, count in zip(
        found.low, found.high, ends, found.count, strict=False
    ):
        assert low == before + 1  # no value is lost, none stands twice
        assert count == sum(counts[int(low) : int(high) + 1])
        assert count <= share + 50  # and at most one value more than its share
    assert found.high[-1] == values[-1]


@pytest.mark.parametrize("place", [0, 500, 999])
def test_a_frequent_value_is_alone_but_for_its_nearest(place):
    counts = np.ones(1000, np.int64)
    counts[place] = 9000
    found = binned(np.arange(1000.0), counts)
    assert sum(count >= 9000 for count in found.count) == 1
    assert max(found.count) < 9000 + 2 * 10_000 / 256
