import math

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from beam.ordering import distinct_order, distinct_sorted, number_key, ranked

BOUNDS = st.sampled_from([1, 3, 1000, 2**40, 2**62, 2**63 - 1])


@st.composite
def tables(draw):
    bounds = draw(st.lists(BOUNDS, min_size=1, max_size=5))
    row = st.tuples(*(st.integers(-bound, bound) for bound in bounds))
    few = draw(st.lists(row, min_size=1, max_size=6))
    return draw(st.lists(st.one_of(st.sampled_from(few), row), max_size=30)), bounds


@settings(max_examples=300, deadline=None)
@given(tables())
def test_sorted_rows_each_once(drawn):
    rows, bounds = drawn
    columns = list(zip(*rows, strict=True)) or [()] * len(bounds)
    order = distinct_order([np.array(column, dtype=np.int64) for column in columns])
    assert [rows[place] for place in order] == sorted(set(rows))


@given(st.lists(st.floats(width=32, allow_nan=False).map(lambda x: x + 0.0)))
def test_number_keys_order_as_the_numbers(numbers):
    numbers = [*numbers, math.inf, -math.inf]
    keys = number_key(np.array([*numbers, math.nan], dtype=np.float32))
    assert keys.argmax() == len(numbers)
    by_key = sorted(range(len(numbers)), key=lambda i: (keys[i], i))
    by_number = sorted(range(len(numbers)), key=lambda i: (numbers[i], i))
    assert by_key == by_number


@given(st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "ä", "b", "aa"]))))
def test_ranks_are_those_of_the_bytes(texts):
    ranks, distinct = ranked(pa.array(texts, pa.large_string()))
    expected = sorted({t for t in texts if t is not None}, key=str.encode)
    assert distinct.to_pylist() == expected
    for rank, text in zip(ranks.tolist(), texts, strict=True):
        assert rank == (-1 if text is None else expected.index(text))


@given(st.lists(st.integers(-3, 3)))
def test_distinct_sorted(values):
    found = distinct_sorted(np.array(values, dtype=np.int64))
    assert found.tolist() == sorted(set(values))
