"""One tensor as JSON: nested lists of numbers, booleans, strings, `{"b64": ...}`."""

from __future__ import annotations

import base64
import binascii
from itertools import chain
from reprlib import repr as shorten
from typing import Any

import grpc
import numpy as np

from serving.server.errors import ServingError, invalid
from serving.server.models.signature import TensorSpec
from serving.tensor_codec import HALF, Array, string_array

_B64 = "b64"
_BYTES_SUFFIX = "_bytes"

# JSON types that an element of each numpy kind may have.
_ELEMENT_TYPES: dict[str, set[type]] = {
    "f": {float, int},
    "i": {int},
    "u": {int},
    "b": {bool},
    "O": {str, dict},
}


def to_array(name: str, value: Any, spec: TensorSpec) -> Array:
    """Returns an input's JSON value as an array of its declared type.

    Integers pass as floats, never the reverse; NaN and infinities pass.

    Raises:
        ServingError: INVALID_ARGUMENT; UNIMPLEMENTED for half floats.
    """
    shape, elements = _flatten(name, value)
    if spec.kind is HALF:
        raise ServingError(
            grpc.StatusCode.UNIMPLEMENTED,
            f'Conversion of JSON Value to type half (input "{name}") is unimplemented',
        )
    if not set(map(type, elements)) <= _ELEMENT_TYPES[spec.kind.dtype.kind]:
        raise _type_error(name, elements, spec)
    if not elements and spec.shape is not None:  # [] can't tell [0] from [0, 8]
        shape += tuple(size or 0 for size in spec.shape[len(shape) :])
    if spec.kind.is_string:
        return string_array(_all_bytes(name, elements)).reshape(shape)
    try:
        with np.errstate(over="ignore"):  # a double beyond float32 becomes inf
            return np.array(elements, spec.kind.dtype).reshape(shape)
    except OverflowError as error:
        raise invalid(
            f'input "{name}" holds a number outside the range of {spec.kind.name}'
        ) from error


def _flatten(name: str, value: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Returns the shape of nested lists and their elements, first index slowest."""
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        size = len(level[0])
        for item in level:
            if not isinstance(item, list) or len(item) != size:
                raise _ragged(name, level[0], item, len(shape))
        shape.append(size)
        level = list(chain.from_iterable(level))
    if list in set(map(type, level)):
        item = next(item for item in level if isinstance(item, list))
        raise _ragged(name, level[0], item, len(shape))
    return tuple(shape), level


def _ragged(name: str, first: Any, item: Any, depth: int) -> ServingError:
    expected, got = _count(first), _count(item)
    if expected == got:
        rule = f"Expecting shape of {shorten(first)} but got: {shorten(item)}"
    else:
        rule = f"Expecting tensor size: {expected} but got: {got}"
    return invalid(f'input "{name}": {rule}, at list depth {depth}')


def _count(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        else:
            count += 1
    return count


def _type_error(name: str, elements: list[Any], spec: TensorSpec) -> ServingError:
    allowed = _ELEMENT_TYPES[spec.kind.dtype.kind]
    wrong = next(element for element in elements if type(element) not in allowed)
    return invalid(
        f'JSON Value: {shorten(wrong)} of input "{name}" is not of expected type: '
        f"{spec.kind.name}"
    )


def _all_bytes(name: str, elements: list[Any]) -> list[bytes]:
    try:
        return list(map(str.encode, elements))
    except (TypeError, UnicodeEncodeError):  # {"b64": ...} among them, or a fault
        return [_to_bytes(name, element) for element in elements]


def _to_bytes(name: str, element: Any) -> bytes:
    try:
        if isinstance(element, str):
            return element.encode()
        if not _is_b64(element):
            raise invalid(
                f'JSON Value: {shorten(element)} of input "{name}" is not of expected '
                "type: string"
            )
        return base64.b64decode(element[_B64], validate=True)
    except UnicodeEncodeError as error:
        raise invalid(f'input "{name}" holds text that is not Unicode') from error
    except (binascii.Error, ValueError) as error:
        raise invalid(f'Unable to base64 decode input "{name}": {error}') from error


def to_json(name: str, array: Array) -> Any:
    """Returns an output in a form that `json_text.dumps` writes.

    Byte strings become text, or base64 if the output's name ends in `_bytes`; bytes
    that are not UTF-8 become U+FFFD.
    """
    if array.dtype != object:
        return array
    texts = np.empty(array.size, dtype=object)
    if name.endswith(_BYTES_SUFFIX):
        texts[:] = [{_B64: base64.b64encode(v).decode()} for v in array.ravel()]
    else:
        texts[:] = [value.decode(errors="replace") for value in array.ravel()]
    return texts.reshape(array.shape).tolist()


def is_named(value: Any) -> bool:
    """Tells an object of named values from one that stands for bytes."""
    return isinstance(value, dict) and not _is_b64(value)


def _is_b64(value: dict[str, Any]) -> bool:
    return value.keys() == {_B64} and isinstance(value[_B64], str)
