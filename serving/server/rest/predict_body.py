"""The JSON bodies of `:predict`: rows (`instances`) or columns (`inputs`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from reprlib import repr as shorten
from typing import Any

from serving.json_text import JsonError, dumps, loads
from serving.server.errors import invalid
from serving.server.models.signature import Signature
from serving.server.rest.json_tensor import is_named, to_array, to_json
from serving.tensor_codec import Array


class Format(StrEnum):
    """How a body holds its tensors, by its key."""

    ROWS = "instances"
    COLUMNS = "inputs"


_FORMATS = tuple(Format)


@dataclass(frozen=True)
class PredictBody:
    """Holds a parsed body whose values are not yet held against a signature."""

    signature_name: str
    format: Format
    values: Any


def parse_body(body: bytes) -> PredictBody:
    """Returns the parts of a `:predict` body; the signature name may be empty.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    try:
        document = loads(body)
    except JsonError as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shorten(document)} Is not object")
    signature_name = document.get("signature_name", "")
    if not isinstance(signature_name, str):
        raise invalid("JSON Value: 'signature_name' must be a string value")
    keys = [key for key in _FORMATS if key in document]
    if len(keys) != 1:
        raise invalid(
            f"expected exactly one of 'inputs' and 'instances', got {len(keys)} of them"
        )
    return PredictBody(signature_name, keys[0], document[keys[0]])


def to_arrays(body: PredictBody, signature: Signature) -> dict[str, Array]:
    """Returns a body's values as arrays by input name.

    Raises:
        ServingError: INVALID_ARGUMENT; UNIMPLEMENTED for half floats.
    """
    if body.format is Format.ROWS:
        columns = _columns_of_rows(body.values, signature)
    else:
        columns = _columns(body.values, signature)
    return {
        name: to_array(name, value, signature.inputs[name])
        for name, value in columns.items()
    }


def encode_answer(outputs: Mapping[str, Array], form: Format) -> bytes:
    """Returns the body that answers a request of this format.

    Raises:
        ServingError: INVALID_ARGUMENT if outputs cannot be cut into rows.
    """
    named: dict[str, Any] = {name: to_json(name, a) for name, a in outputs.items()}
    only = next(iter(named.values())) if len(named) == 1 else None
    if form is Format.COLUMNS:
        answer = {"outputs": named if only is None else only}
        return dumps(answer, outputs.values())
    _check_rows(outputs)
    rows = only
    if rows is None:
        values = zip(*named.values(), strict=True)
        rows = [dict(zip(named, row, strict=True)) for row in values]
    return dumps({"predictions": rows}, outputs.values())


def _columns_of_rows(rows: Any, signature: Signature) -> dict[str, list[Any]]:
    if not isinstance(rows, list):
        raise invalid("'instances' must be a list, one item a row")
    if not rows:
        raise invalid("'instances' holds no row")
    if not is_named(rows[0]) and len(signature.inputs) > 1:
        raise invalid(
            "instances is a plain list, but the signature has several inputs: send a "
            f"list of objects with the keys {', '.join(signature.inputs)}"
        )
    if not is_named(rows[0]):
        return {_only_input(signature): _plain_rows(rows)}
    _check_row_objects(rows, signature)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _plain_rows(rows: list[Any]) -> list[Any]:
    for number, row in enumerate(rows):
        if is_named(row):
            raise invalid(
                f"Expecting value/list but got object at item {number} of input list"
            )
    return rows


def _check_row_objects(rows: list[Any], signature: Signature) -> None:
    required = signature.inputs.keys() - signature.defaults.keys()
    for number, row in enumerate(rows):
        if not is_named(row):
            raise invalid(
                f"Expecting object but got list/value at item {number} of input list"
            )
        if extra := row.keys() - signature.inputs.keys():
            raise invalid(
                f"item {number}: JSON object: does not have named input: {min(extra)}"
            )
        if not required <= row.keys() or row.keys() != rows[0].keys():
            raise invalid(
                f"item {number}: JSON object keys must be equal to "
                f"{', '.join(signature.inputs)}, got {', '.join(row)}"
            )


def _columns(value: Any, signature: Signature) -> dict[str, Any]:
    if not is_named(value):
        if len(signature.inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but the signature has several inputs: "
                f"send an object with the keys {', '.join(signature.inputs)}"
            )
        return {_only_input(signature): value}
    for name in signature.inputs.keys() - signature.defaults.keys():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in signature.inputs if name in value}


def _only_input(signature: Signature) -> str:
    if not signature.inputs:
        raise invalid(
            f'signature "{signature.name}" has no inputs: send an empty object'
        )
    return next(iter(signature.inputs))


def _check_rows(outputs: Mapping[str, Array]) -> None:
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(
                f"Tensor name: {name} has no shape information: it is a scalar, which "
                "has no rows; ask with 'inputs' instead of 'instances'"
            )
    sizes = {name: len(array) for name, array in outputs.items()}
    if len(set(sizes.values())) > 1:
        raise invalid(
            f"outputs have inconsistent batch size {sizes}; ask with 'inputs' instead "
            "of 'instances'"
        )
