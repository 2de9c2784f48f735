"""What the JSON bodies of all calls have in common."""

from __future__ import annotations

from typing import Any

from serving.json_text import JsonError, loads
from serving.server.errors import invalid
from serving.server.rest.misfit import json_value

_SIGNATURE_NAME = "signature_name"


def parse_document(body: bytes) -> dict[str, Any]:
    """Returns the object that a body holds.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    try:
        document = loads(body)
    except JsonError as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {json_value(document)} Is not object")
    return document


def signature_name_of(document: dict[str, Any]) -> str:
    """Returns the signature that a body asks for, empty if it asks for none.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    name = document.get(_SIGNATURE_NAME, "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {json_value(document)} not formatted correctly. "
            f"'{_SIGNATURE_NAME}' key must be a string value."
        )
    return name
