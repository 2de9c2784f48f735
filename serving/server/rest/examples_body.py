"""The JSON bodies of `:classify` and `:regress`."""

from __future__ import annotations

from typing import Any

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import input_pb2

from serving.json_text import dumps
from serving.server.errors import ServingError, invalid
from serving.server.rest.b64 import decode_b64, is_b64
from serving.server.rest.float_text import to_json_floats
from serving.server.rest.misfit import json_type, json_value

_MAX_INT = 2**63 - 1
_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def to_input(document: dict[str, Any]) -> Any:
    """Returns the Input message of a body: `examples`, perhaps with a `context`.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    message = input_pb2.Input()
    with_context = "context" in document
    if with_context:
        context = message.example_list_with_context.context
        _fill_example(document["context"], context)
    examples = _examples(document)
    filled = message.example_list
    if with_context:
        filled = message.example_list_with_context
    for example in examples:
        _fill_example(example, filled.examples.add())
    return message


def _examples(document: dict[str, Any]) -> list[Any]:
    if "examples" not in document:
        raise _misformed(
            document,
            "When method is classify, key 'examples' is expected and was not found",
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise _misformed(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise _misformed(document, "'examples' value is an empty array")
    return examples


def _misformed(document: dict[str, Any], rule: str) -> ServingError:
    return invalid(f"JSON Value: {json_value(document)} {rule}")


def _fill_example(value: Any, example: example_pb2.Example) -> None:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_type(value)}")
    for name, content in value.items():
        _check_text(name)
        feature = example.features.feature[name]
        for element in content if isinstance(content, list) else [content]:
            _add(name, element, feature)


def _check_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"Feature name {name!r} is not UTF-8") from error


def _add(name: str, element: Any, feature: feature_pb2.Feature) -> None:
    kind, value = _feature_value(name, element)
    if feature.WhichOneof("kind") not in (None, kind):
        raise invalid(
            f"Unexpected element type in feature: {name} expecting type: "
            f"{_KINDS[feature.WhichOneof('kind')]}"
        )
    getattr(feature, kind).value.append(value)


def _feature_value(name: str, element: Any) -> tuple[str, Any]:
    match element:
        case bool():
            return "int64_list", int(element)
        case int():
            if element > _MAX_INT:
                raise invalid(
                    f"Feature: {name} has uint64 element. Only int64 is supported."
                )
            return "int64_list", element
        case float():
            with np.errstate(over="ignore"):  # a double beyond float32 becomes inf
                return "float_list", float(np.float32(element))
        case str():
            return "bytes_list", element.encode(errors="surrogateescape")
        case dict() if is_b64(element):
            return "bytes_list", decode_b64(element)
    raise invalid(
        f"Feature: {name} has element with unexpected JSON type: {json_type(element)}"
    )


def encode_classification(result: Any) -> bytes:
    """Returns the body that answers `:classify`: pairs of label and score a row."""
    rows = [
        list(
            zip(
                [entry.label for entry in row.classes],
                _floats([entry.score for entry in row.classes]),
                strict=True,
            )
        )
        for row in result.classifications
    ]
    return dumps({"results": rows}, ())


def encode_regression(result: Any) -> bytes:
    """Returns the body that answers `:regress`: one number a row."""
    return dumps({"results": _floats([row.value for row in result.regressions])}, ())


def _floats(values: list[float]) -> Any:
    return to_json_floats(np.array(values, np.float32))
