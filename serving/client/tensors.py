"""Turns what a caller passes into arrays of the type that a signature declares."""

from __future__ import annotations

from typing import Any

import numpy as np

from serving.client.errors import InvalidRequest
from serving.tensor_codec import Array, TensorType, string_array

# numpy kinds that a declared kind takes: integers pass as floats, never the reverse.
_ACCEPTED_KINDS = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}


def to_array(name: str, value: Any, kind: TensorType) -> Array:
    """Returns an input's value as an array of its declared type.

    Strings become UTF-8 `bytes`; an empty list fits every type.

    Raises:
        InvalidRequest: names the input, what came and what is expected.
    """
    if kind.is_string:
        return _strings(name, value)
    array = _numpy(name, value, kind)
    if array.size == 0:
        return np.empty(array.shape, kind.dtype)
    if array.dtype.kind not in _ACCEPTED_KINDS[kind.dtype.kind]:
        raise _mismatch(name, str(array.dtype), kind)
    if kind.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32 is inf, as at the server
            return array.astype(kind.dtype)
    limits = np.iinfo(kind.dtype) if kind.dtype.kind in "iu" else None
    if limits and (array.min() < limits.min or array.max() > limits.max):
        raise _mismatch(name, f"{array.min()}..{array.max()}", kind)
    return array.astype(kind.dtype)


def _numpy(name: str, value: Any, kind: TensorType) -> Array:
    try:
        return np.asarray(value)
    except (ValueError, OverflowError) as error:
        raise _mismatch(name, f"lists of unequal lengths ({error})", kind) from error


def _strings(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value, dtype=object)
    except ValueError as error:
        raise InvalidRequest(
            f"input {name!r} has lists of unequal lengths; pad them with ''"
        ) from error
    for element in array.flat:
        if not isinstance(element, str | bytes):
            raise InvalidRequest(
                f"input {name!r} has {_shown(element)}, expected strings; lists must "
                "be of equal lengths"
            )
    flat = [e.encode() if isinstance(e, str) else bytes(e) for e in array.flat]
    return string_array(flat).reshape(array.shape)


def _mismatch(name: str, received: str, kind: TensorType) -> InvalidRequest:
    return InvalidRequest(f"input {name!r} has {received}, expected {kind.name}")


def _shown(element: Any) -> str:
    return f"{type(element).__name__} {element!r:.40}"
