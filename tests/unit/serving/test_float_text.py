"""The vectorised writer against C's printf, one number at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.json_text import dumps
from serving.server.rest.float_text import to_json_floats


def written(values, dtype):
    text = dumps(to_json_floats(np.array(values, dtype)), ()).decode()
    return text.strip("[]").split(",")


def expected(value, digits):
    """The contract: six digits, all of them if six are not enough; `.0` if whole."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = f"{float(value):.6g}"
    if type(value)(text) != value:
        text = f"{float(value):.{digits}g}"
    return text if set(text) & set(".e") else text + ".0"


@given(st.lists(st.floats(width=32), min_size=1, max_size=40))
@settings(deadline=None, max_examples=300)
def test_float32_as_printf(values):
    floats = np.array(values, np.float32)
    assert written(floats, np.float32) == [expected(v, 9) for v in floats]


@given(st.lists(st.floats(2.0**-13, 2.0**20, width=32), min_size=1, max_size=40))
@settings(deadline=None, max_examples=300)
def test_usual_magnitudes_as_printf(values):
    floats = np.array(values, np.float32)
    assert written(floats, np.float32) == [expected(v, 9) for v in floats]


@pytest.mark.parametrize("digits", range(1, 9))
def test_decimals_of_few_digits_as_printf(digits):
    random = np.random.default_rng(digits)
    values = [float(f"{v:.{digits}g}") for v in 10 ** random.uniform(-5, 7, 2000)]
    floats = np.array(values, np.float32)
    assert written(floats, np.float32) == [expected(v, 9) for v in floats]


@given(st.lists(st.floats(), min_size=1, max_size=20))
@settings(deadline=None)
def test_float64_as_printf(values):
    floats = np.array(values)
    assert written(floats, np.float64) == [expected(v, 17) for v in floats]


def test_half_as_its_float():
    assert written([0.1, 65504, 3], np.float16) == ["0.0999756", "65504.0", "3.0"]


@pytest.mark.parametrize("fill", [0.5, 1e-9])
@pytest.mark.parametrize("shape", [(), (2,), (0,), (2, 0), (2, 3), (1, 2, 3)])
def test_keeps_the_shape(shape, fill):
    value = to_json_floats(np.full(shape, fill, np.float32))
    text = dumps(value, ()).decode().replace("1e-09", "0.5")
    assert text == dumps(np.full(shape, 0.5).tolist(), ()).decode()
