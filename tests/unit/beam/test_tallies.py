from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam.tallies import codes_of, counted, hour_of_week, numbers_of

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS, min_size=2))
def test_codes_have_the_order_of_their_numbers(values):
    numbers = np.sort(np.array(values, np.float32))
    codes = codes_of(numbers)
    assert (np.diff(codes) >= 0).all()
    back = numbers_of(codes)
    assert (np.abs(back) <= np.abs(numbers)).all()
    np.testing.assert_allclose(back, numbers, rtol=2**-15, atol=1e-39)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.5, 1999.0, 2024.0, -65535.0, 0.25])
def test_short_numbers_stay_what_they_are(value):
    assert numbers_of(codes_of(np.array([value])))[0] == value


def test_both_zeros_are_one():
    assert len(set(codes_of(np.array([0.0, -0.0], np.float32)).tolist())) == 1


@pytest.mark.parametrize("spread", [1, 10**6])  # counted in place, and by sorting
@given(data=st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 3)), max_size=30))
def test_counts_are_what_a_loop_counts(spread, data):
    codes = np.array([code * spread for code, _ in data], np.int64)
    found, counts = counted(codes, np.array([span for _, span in data], np.int64))
    expected = Counter((code * spread, span) for code, span in data)
    assert found.tolist() == sorted({code for code, _ in expected})
    for code, row in zip(found.tolist(), counts.tolist(), strict=True):
        assert row == [expected[code, span] for span in range(4)]


def test_the_week_starts_on_monday():
    monday = 1704067200 // 3600  # 2024-01-01T00:00:00Z
    assert hour_of_week(np.array([monday, monday + 25, monday - 1])).tolist() == [
        0, 25, 167,
    ]  # fmt: skip
