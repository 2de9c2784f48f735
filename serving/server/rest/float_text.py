"""Floats as TF Serving writes them in JSON.

Six significant digits, or as many as tell the value from its neighbours (9, 17 for
double) where six do not; `.0` behind whole numbers; bare `NaN` and `Infinity`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson

from serving.tensor_codec import Array

_SHORT, _LONG = 6, 9
_LONG_DOUBLE = 17
# Between these C's `%g` and orjson both write plain decimals, and float32 times the
# scales below is exact in double: 24 + 28 bits.
_LEAST, _BOUND = 1e-4, 1e6
_POWERS = np.array([10.0**e for e in range(-3, 7)])
_SHORT_SCALES = np.array([10.0 ** (_SHORT - 1 - e) for e in range(-4, 7)])
_LONG_SCALES = np.array([10.0 ** (_LONG - 1 - e) for e in range(-4, 7)])


def to_json_floats(array: Array) -> Any:
    """Returns floats of any shape and precision in a form that orjson writes.

    The usual magnitudes are rounded by numpy to the decimal that is to be written,
    which orjson then writes as it is: 10 times faster than formatting one by one.
    """
    if array.dtype == np.float64:
        return _one_by_one(array, array.ravel(), np.ones(array.size, np.bool_))
    wide = array.astype(np.float64)
    size = np.abs(wide)
    unusual = ~((size >= _LEAST) & (size < _BOUND) | (size == 0))
    place = np.searchsorted(_POWERS, size, side="right")
    short = _rounded(wide, _SHORT_SCALES[place])
    rounded = np.where(
        short.astype(array.dtype) == array,
        short,
        _rounded(wide, _LONG_SCALES[place]),
    )
    if not unusual.any():
        return rounded
    return _one_by_one(array, rounded.ravel(), unusual.ravel())


def _rounded(values: Array, scales: Array) -> Array:
    scaled: Array = np.rint(values * scales)
    return scaled / scales


def _one_by_one(array: Array, usual: Array, unusual: Array) -> Any:
    elements = np.empty(array.size, dtype=object)
    elements[:] = usual.tolist()
    flat = array.ravel()
    for index in np.flatnonzero(unusual):
        elements[index] = orjson.Fragment(float_text(flat[index]))
    return elements.reshape(array.shape).tolist()


def float_text(value: np.floating[Any]) -> str:
    """Returns the JSON text of one float."""
    number = float(value)
    if not math.isfinite(number):
        if math.isnan(number):
            return "NaN"
        return "Infinity" if number > 0 else "-Infinity"
    text = f"{number:.{_SHORT}g}"
    if type(value)(text) != value:
        text = f"{number:.{_LONG_DOUBLE if value.dtype == np.float64 else _LONG}g}"
    return text if "." in text or "e" in text else f"{text}.0"
