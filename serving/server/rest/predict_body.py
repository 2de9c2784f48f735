"""The JSON bodies of `:predict`: rows (`instances`) or columns (`inputs`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from serving.json_text import dumps
from serving.server.errors import ServingError, invalid
from serving.server.models.signature import Signature
from serving.server.rest.b64 import is_b64
from serving.server.rest.document import parse_document, signature_name_of
from serving.server.rest.json_tensor import to_array, to_json
from serving.server.rest.misfit import explain_rows, json_value
from serving.tensor_codec import Array


class Format(StrEnum):
    """How a body holds its tensors, by its key."""

    ROWS = "instances"
    COLUMNS = "inputs"


_FORMATS = tuple(Format)


@dataclass(frozen=True)
class PredictBody:
    """Holds a parsed body that is not yet held against a signature."""

    signature_name: str
    document: Mapping[str, Any]

    @property
    def format(self) -> Format:
        """Returns how the body holds its tensors.

        Raises:
            ServingError: INVALID_ARGUMENT if it has neither key or both.
        """
        keys = [key for key in _FORMATS if key in self.document]
        if not keys:
            raise invalid("Missing 'inputs' or 'instances' key")
        if len(keys) > 1:
            raise invalid(
                f"JSON Value: {json_value(self.document)} Not formatted correctly "
                "expecting only one of 'inputs' or 'instances' keys to exist"
            )
        return keys[0]


def parse_body(body: bytes) -> PredictBody:
    """Returns the parts of a `:predict` body; the signature name may be empty.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    document = parse_document(body)
    return PredictBody(signature_name_of(document), document)


def to_arrays(body: PredictBody, signature: Signature) -> dict[str, Array]:
    """Returns a body's values as arrays by input name.

    Raises:
        ServingError: INVALID_ARGUMENT; UNIMPLEMENTED for half floats.
    """
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {signature.name}")
    values = body.document[body.format]
    if body.format is Format.COLUMNS:
        return _arrays(_columns(values, signature), signature)
    columns = _columns_of_rows(values, signature)
    try:
        return _arrays(columns, signature)
    except ServingError as error:
        if error.http_status != invalid("").http_status:
            raise
        raise explain_rows(values, signature) or error from None


def _arrays(columns: Mapping[str, Any], signature: Signature) -> dict[str, Array]:
    return {
        name: to_array(name, value, signature.inputs[name])
        for name, value in columns.items()
    }


def encode_answer(outputs: Mapping[str, Array], form: Format) -> bytes:
    """Returns the body that answers a request of this format.

    Raises:
        ServingError: INVALID_ARGUMENT if there are no outputs, if they cannot be cut
            into rows or have a type that JSON has no form for.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    if form is Format.ROWS:
        _check_rows(outputs)
    named: dict[str, Any] = {name: to_json(name, a) for name, a in outputs.items()}
    only = next(iter(named.values())) if len(named) == 1 else None
    if form is Format.COLUMNS:
        return dumps({"outputs": named if only is None else only}, ())
    rows = only
    if rows is None:
        values = zip(*named.values(), strict=True)
        rows = [dict(zip(named, row, strict=True)) for row in values]
    return dumps({"predictions": rows}, ())


def _columns_of_rows(rows: Any, signature: Signature) -> dict[str, list[Any]]:
    if not isinstance(rows, list):
        raise invalid(
            f"JSON Value: {json_value(rows)} Excepting 'instances' to be an list/array"
        )
    if not rows:
        raise invalid("No values in 'instances' array")
    if not _is_named(rows[0]) and len(signature.inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map: "
            f"{','.join(sorted(signature.inputs))}"
        )
    if not _is_named(rows[0]):
        return {next(iter(signature.inputs)): _plain_rows(rows)}
    _check_row_objects(rows, signature)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _plain_rows(rows: list[Any]) -> list[Any]:
    for number, row in enumerate(rows):
        if _is_named(row):
            raise invalid(
                f"Expecting value/list but got object at item {number} of input list"
            )
    return rows


def _check_row_objects(rows: list[Any], signature: Signature) -> None:
    required = signature.inputs.keys() - signature.defaults.keys()
    for number, row in enumerate(rows):
        if not _is_named(row):
            raise invalid(
                f"Expecting object but got list at item {number} of input list"
            )
        place = f"Failed to process element: {number}"
        if extra := row.keys() - signature.inputs.keys():
            raise invalid(
                f"{place} key: {min(extra)} of 'instances' list. Error: "
                "INVALID_ARGUMENT: JSON object: does not have named input: "
                f"{min(extra)}"
            )
        if not required <= row.keys() or row.keys() != rows[0].keys():
            raise invalid(
                f"{place} of 'instances' list. JSON object: {json_value(row)} keys "
                f"must be equal to: {','.join(sorted(signature.inputs))}"
            )


def _columns(value: Any, signature: Signature) -> dict[str, Any]:
    if not _is_named(value):
        if len(signature.inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map: "
                f"{','.join(sorted(signature.inputs))}"
            )
        return {next(iter(signature.inputs)): value}
    for name in sorted(signature.inputs.keys() - signature.defaults.keys()):
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in signature.inputs if name in value}


def _is_named(value: Any) -> bool:
    """Tells an object of named values from one that stands for bytes."""
    return isinstance(value, dict) and not is_b64(value)


def _check_rows(outputs: Mapping[str, Array]) -> None:
    batch_size = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(
                f"Tensor name: {name} has no shape information: it is a scalar, which "
                "has no rows; ask with 'inputs' instead of 'instances'"
            )
        if batch_size is None:
            batch_size = len(array)
        if len(array) != batch_size:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} "
                f"expecting: {batch_size}; ask with 'inputs' instead of 'instances'"
            )
