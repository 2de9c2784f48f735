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
# From the first of these to the last C's `%g` and orjson both write plain decimals, and
# float32 times the scales is exact in double: 24 + 28 bits.
_POWERS = np.array([10.0**e for e in range(-4, 7)])
_TOO_SMALL, _TOO_LARGE = 0, len(_POWERS)  # places among them; NaN is too large
_SHORT_SCALES = np.array([10.0 ** (_SHORT - 1 - e) for e in range(-5, 7)])
_LONG_SCALES = np.array([10.0 ** (_LONG - 1 - e) for e in range(-5, 7)])


def to_json_floats(array: Array) -> Any:
    """Returns floats of any shape and precision in a form that orjson writes.

    The usual magnitudes are rounded by numpy to the decimal that is to be written,
    which orjson then writes as it is: 10 times faster than formatting one by one.
    """
    if array.dtype == np.float64:
        return _one_by_one(array, array.ravel(), np.ones(array.size, np.bool_))
    wide = array.astype(np.float64)
    place = np.searchsorted(_POWERS, np.abs(wide), side="right")
    rounded = _rounded(wide, _SHORT_SCALES[place])
    exact = rounded.astype(array.dtype) == array
    if not exact.all():
        rounded = np.where(exact, rounded, _rounded(wide, _LONG_SCALES[place]))
    usual = (place > _TOO_SMALL) & (place < _TOO_LARGE) | (wide == 0)
    if usual.all():
        return rounded
    return _one_by_one(array, rounded.ravel(), ~usual.ravel())


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
