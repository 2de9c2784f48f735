"""Why a JSON value is no tensor, in TF Serving's words and order.

Values are converted as a whole (`json_tensor`); only one that fails is walked through
again here, element by element, for the first fault that TF Serving would meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import grpc
import numpy as np

from serving.json_text import dumps
from serving.server.errors import ServingError, invalid
from serving.server.models.signature import Signature
from serving.server.rest.b64 import decode_b64, is_b64
from serving.tensor_codec import HALF, MAX_RANK, TensorType

_LONGEST_VALUE = 200
_NOT_READ = {HALF.name, "uint16"}  # TF Serving's REST API has no conversion for these


def is_readable(kind: TensorType) -> bool:
    """Tells whether JSON values can become tensors of a type."""
    return kind.is_supported and kind.name not in _NOT_READ


def json_type(value: Any) -> str:
    """Returns RapidJSON's name for the type of a JSON value."""
    match value:
        case None:
            return "Null"
        case bool():
            return str(value)
        case dict():
            return "Object"
        case list():
            return "Array"
        case str():
            return "String"
    return "Number"


def json_value(value: Any) -> str:
    """Returns a JSON value as text for an error message, cut if it is long."""
    text = dumps(_printable(value), [np.array(np.nan)]).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _printable(value: Any, depth: int = 0) -> Any:
    """Returns a small excerpt: of a long or deep value only the head is shown."""
    if isinstance(value, str):
        return value[:_LONGEST_VALUE]
    if not isinstance(value, list | dict):
        return value
    if depth > MAX_RANK:
        return "..."
    if isinstance(value, list):
        return [_printable(item, depth + 1) for item in value[:_LONGEST_VALUE]]
    heads = list(value.items())[:_LONGEST_VALUE]
    return {key: _printable(item, depth + 1) for key, item in heads}


def rank_error(name: str, rank: int) -> ServingError:
    """Returns the error for lists nested deeper than a tensor may be."""
    return invalid(f'input "{name}" has rank {rank}; at most {MAX_RANK} is supported')


def unsupported(value: Any, kind: TensorType) -> ServingError:
    """Returns the error for an input of a type that JSON has no conversion for."""
    while isinstance(value, list) and value:
        value = value[0]
    return ServingError(
        grpc.StatusCode.UNIMPLEMENTED,
        f"Conversion of JSON Value: {json_value(value)} to type: {kind.name}",
    )


def explain_tensor(name: str, value: Any, kind: TensorType) -> ServingError:
    """Returns the error for a value that is no tensor of a type."""
    shape = _dense_shape(value)
    if len(shape) > MAX_RANK:
        return rank_error(name, len(shape))
    fault = _first_fault(value, shape, 0, kind)
    return fault or invalid(f'input "{name}" is no tensor of type {kind.name}')


def explain_rows(rows: Sequence[Any], signature: Signature) -> ServingError | None:
    """Returns the error for the first of `instances` that does not fit, if one does."""
    seen: dict[str, tuple[int, ...]] = {}
    for number, row in enumerate(rows):
        named = isinstance(row, dict) and not is_b64(row)
        values = row if named else {next(iter(signature.inputs)): row}
        for name, value in values.items():
            if fault := _row_fault(name, value, signature, seen):
                key = f" key: {name}" if named else ""
                return invalid(
                    f"Failed to process element: {number}{key} of 'instances' list. "
                    f"Error: INVALID_ARGUMENT: {fault.message}"
                )
    return None


def _row_fault(
    name: str, value: Any, signature: Signature, seen: dict[str, tuple[int, ...]]
) -> ServingError | None:
    kind, shape = signature.inputs[name].kind, _dense_shape(value)
    if len(shape) > MAX_RANK:
        return rank_error(name, len(shape))
    if fault := _first_fault(value, shape, 0, kind):
        return fault
    expected = seen.setdefault(name, shape)
    if prod(expected) != prod(shape):
        return invalid(
            f"Expecting tensor size: {prod(expected)} but got: {prod(shape)}"
        )
    if expected != shape:
        return invalid(
            f"Expecting shape {_bracketed(expected)} but got: {_bracketed(shape)}"
        )
    return None


def _dense_shape(value: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _first_fault(
    value: Any, shape: tuple[int, ...], level: int, kind: TensorType
) -> ServingError | None:
    if not isinstance(value, list):
        if level != len(shape):
            return invalid(
                f"JSON Value: {json_value(value)} found at incorrect level: "
                f"{level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        return _element_fault(value, kind)
    if level >= len(shape):
        return invalid(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        return invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    faults = (_first_fault(item, shape, level + 1, kind) for item in value)
    return next(filter(None, faults), None)


def _element_fault(value: Any, kind: TensorType) -> ServingError | None:
    if kind.is_string and isinstance(value, dict):
        return _b64_fault(value)
    if _is_element(value, kind):
        return None
    return invalid(
        f"JSON Value: {json_value(value)} Type: {json_type(value)} is not of expected "
        f"type: {kind.name}"
    )


def b64_error(value: Any) -> ServingError:
    """Returns the error for an object that stands for no bytes."""
    return invalid(
        f"JSON Value: {json_value(value)} not formatted correctly for base64 data"
    )


def _b64_fault(value: dict[str, Any]) -> ServingError | None:
    if not is_b64(value):
        return b64_error(value)
    try:
        decode_b64(value)
    except ServingError as error:
        return error
    return None


def _is_element(value: Any, kind: TensorType) -> bool:
    match kind.dtype.kind:
        case "O":
            return isinstance(value, str)
        case "b":
            return isinstance(value, bool)
        case "f":
            return isinstance(value, int | float) and not isinstance(value, bool)
    bounds = np.iinfo(kind.dtype)
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and bounds.min <= value <= bounds.max
    )


def _bracketed(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
