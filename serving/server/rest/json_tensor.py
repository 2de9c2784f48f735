"""One tensor as JSON: nested lists of numbers, booleans, strings, `{"b64": ...}`."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from serving.server.errors import invalid
from serving.server.models.signature import TensorSpec
from serving.server.rest.b64 import decode_b64, encode_b64, is_b64
from serving.server.rest.float_text import to_json_floats
from serving.server.rest.misfit import (
    b64_error,
    explain_tensor,
    is_readable,
    rank_error,
    unsupported,
)
from serving.tensor_codec import MAX_RANK, Array, TensorType, string_array

_BYTES_SUFFIX = "_bytes"

# JSON types that an element of each numpy kind may have.
_ELEMENT_TYPES: dict[str, set[type]] = {
    "f": {float, int},
    "i": {int},
    "u": {int},
    "b": {bool},
    "O": {str, dict},
}
_NOT_WRITTEN = {np.dtype(np.uint16)}


def to_array(name: str, value: Any, spec: TensorSpec) -> Array:
    """Returns an input's JSON value as an array of its declared type.

    Integers pass as floats, never the reverse; NaN and infinities pass.

    Raises:
        ServingError: INVALID_ARGUMENT; UNIMPLEMENTED for half floats.
    """
    shape, elements = _flatten(value)
    if len(shape) > MAX_RANK:
        raise rank_error(name, len(shape))
    if not is_readable(spec.kind):
        raise unsupported(value, spec.kind)
    array = None if elements is None else _typed(elements, spec.kind)
    if array is None:
        raise explain_tensor(name, value, spec.kind)
    if not elements and spec.shape is not None:  # [] can't tell [0] from [0, 8]
        shape += tuple(size or 0 for size in spec.shape[len(shape) :])
    return array.reshape(shape)


def _flatten(value: Any) -> tuple[tuple[int, ...], list[Any] | None]:
    """Returns the shape of nested lists and their elements, None if they are ragged.

    Lists that stand beside other elements are left among them.
    """
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        size = len(level[0])
        shape.append(size)
        if len(level) == 1:
            level = level[0]
            continue
        if any(not isinstance(item, list) or len(item) != size for item in level):
            return tuple(shape), None
        level = list(chain.from_iterable(level))
    return tuple(shape), level


def _typed(elements: list[Any], kind: TensorType) -> Array | None:
    """Returns elements as a flat array, None if one has another type or is too large.

    Raises:
        ServingError: INVALID_ARGUMENT for bad base64.
    """
    if kind.is_string:
        texts = _all_bytes(elements)
        return None if texts is None else string_array(texts)
    if not set(map(type, elements)) <= _ELEMENT_TYPES[kind.dtype.kind]:
        return None
    try:
        with np.errstate(over="ignore"):  # a double beyond float32 becomes inf
            return np.array(elements, kind.dtype)
    except OverflowError:
        return None


def _all_bytes(elements: list[Any]) -> list[bytes] | None:
    try:
        return list(map(str.encode, elements))
    except (TypeError, UnicodeEncodeError):  # {"b64": ...} among them, or odd text
        if not set(map(type, elements)) <= _ELEMENT_TYPES["O"]:
            return None
        return [_to_bytes(element) for element in elements]


def _to_bytes(element: Any) -> bytes:
    if isinstance(element, str):
        return element.encode(errors="surrogateescape")
    if not is_b64(element):
        raise b64_error(element)
    return decode_b64(element)


def to_json(name: str, array: Array) -> Any:
    """Returns an output in a form that `json_text.dumps` writes.

    Byte strings become text, or base64 if the output's name ends in `_bytes`; bytes
    that are not UTF-8 become U+FFFD.

    Raises:
        ServingError: INVALID_ARGUMENT for a type that JSON has no form for.
    """
    kind = array.dtype.kind
    if kind not in _ELEMENT_TYPES or array.dtype in _NOT_WRITTEN:
        raise invalid(
            f"Failed to write JSON value for tensor type: {array.dtype.name} "
            f'(output "{name}")'
        )
    if kind == "f":
        return to_json_floats(array)
    if kind != "O":
        return array
    texts = np.empty(array.size, dtype=object)
    if name.endswith(_BYTES_SUFFIX):
        texts[:] = [encode_b64(value) for value in array.ravel()]
    else:
        texts[:] = [value.decode(errors="replace") for value in array.ravel()]
    return texts.reshape(array.shape).tolist()
