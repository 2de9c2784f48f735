"""`{"b64": "..."}`, TF Serving's way to hold bytes in JSON."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from serving.server.errors import invalid

KEY = "b64"
_NO_WHITESPACE = dict.fromkeys(map(ord, "\t\n\v\f\r "))


def is_b64(value: Any) -> bool:
    """Tells whether a JSON value is `{"b64": "..."}`, nothing else in it."""
    if not isinstance(value, dict) or value.keys() != {KEY}:
        return False
    return isinstance(value[KEY], str)


def decode_b64(value: dict[str, str]) -> bytes:
    """Returns the bytes; as in TF Serving, white space and no padding are fine.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    text = value[KEY].translate(_NO_WHITESPACE)
    digits = text.rstrip("=")
    padded = digits + "=" * (-len(digits) % 4)
    try:
        if text not in (digits, padded):
            raise binascii.Error("wrong padding")
        return base64.b64decode(padded, validate=True)
    except ValueError as error:
        raise invalid(f"Unable to base64 decode: {error}") from error


def encode_b64(value: bytes) -> dict[str, str]:
    """Returns the JSON form of bytes."""
    return {KEY: base64.b64encode(value).decode()}
