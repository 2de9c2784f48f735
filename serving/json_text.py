"""Reads and writes JSON with numpy arrays and TF Serving's NaN and Infinity tokens.

orjson is 4 times faster than json but knows no such tokens: it refuses them in a text
and writes null for them. json takes over where it has to.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson

from serving.tensor_codec import Array

# What RapidJSON, TF Serving's parser, says where Python's says something else.
_INVALID_VALUE = "Invalid value."
_RULES = {
    "Expecting value": _INVALID_VALUE,
    "Expecting property name enclosed in double quotes": (
        "Missing a name for object member."
    ),
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
    "Invalid control character at": "Invalid encoding in string.",
}
_MISSING_COMMA = {
    "{": "Missing a comma or } after an object member.",
    "[": "Missing a comma or ] after an array element.",
}
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_STRING_OR_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|-?\bInf\b|-NaN\b', re.DOTALL)
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_MIN_INT, _MAX_INT = -(1 << 63), (1 << 64) - 1
_MAX_INT_DIGITS = 20


class JsonError(ValueError):
    """Reports a text that is not JSON."""


def loads(text: bytes) -> Any:
    """Returns the first JSON value of a text; what follows it is ignored.

    As RapidJSON, it takes `NaN`, `Inf` and `Infinity` with either sign, makes floats of
    integers beyond 64 bits, and lets bytes that are not UTF-8 pass inside strings (as
    lone surrogates, see PEP 383).

    Raises:
        JsonError: the text does not begin with a JSON value.
    """
    if not text.strip(b" \t\r\n\0"):
        raise JsonError("The document is empty.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loads_lenient(text.decode(errors="surrogateescape"))


def dumps(value: Any, arrays: Iterable[Array]) -> bytes:
    """Returns a JSON text.

    Args:
        value: JSON types, numpy arrays and numpy scalars.
        arrays: the arrays inside `value`: they say whether all floats are finite.
    """
    if all(_is_finite(array) for array in arrays):
        return orjson.dumps(
            value, default=_for_orjson, option=orjson.OPT_SERIALIZE_NUMPY
        )
    return json.dumps(value, default=_for_json, separators=(",", ":")).encode()


def _loads_lenient(text: str) -> Any:
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        value, end = _first_value(text, start)
    except json.JSONDecodeError as error:
        raise JsonError(
            f"{_rule(text, error)} at offset: {_offset(text, error.pos)}"
        ) from error
    except RecursionError as error:
        raise JsonError("Invalid value: it is nested too deeply.") from error
    if any(match["lone"] for match in _ESCAPE.finditer(text, start, end)):
        raise JsonError("The surrogate pair in string is invalid.")
    return value


def _first_value(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        plain = _STRING_OR_TOKEN.sub(_plain_token, text)
        if plain == text:
            raise
        return _DECODER.raw_decode(plain, start)


def _plain_token(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith('"'):
        return token
    return "NaN" if token.endswith("NaN") else f"{token}inity"


def _rule(text: str, error: json.JSONDecodeError) -> str:
    if error.msg != "Expecting ',' delimiter":
        return _RULES.get(error.msg, _INVALID_VALUE)
    open_brackets: list[str] = []
    for match in _STRING_OR_BRACKET.finditer(text, 0, error.pos):
        if match[0] in "[{":
            open_brackets.append(match[0])
        elif match[0] in "]}" and open_brackets:
            open_brackets.pop()
    return _MISSING_COMMA.get(open_brackets[-1] if open_brackets else "", "")


def _offset(text: str, position: int) -> int:
    return len(text[:position].encode(errors="surrogateescape"))


def _integer(digits: str) -> int | float:
    if len(digits) <= _MAX_INT_DIGITS + digits.startswith("-"):
        value = int(digits)
        if _MIN_INT <= value <= _MAX_INT:
            return value
    return _number(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise JsonError("Number too big to be stored in double.")
    return value


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_integer)


def _is_finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _for_orjson(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return value[()] if value.ndim == 0 else np.array(value, order="C")


def _for_json(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind != "f" or array.dtype == np.float64:
        return array.tolist()
    # A float32 0.1 widened to float64 prints as 0.10000000149011612; orjson writes the
    # shortest text of the float32, and null for what is not finite.
    short = orjson.loads(orjson.dumps(array.ravel(), option=orjson.OPT_SERIALIZE_NUMPY))
    widened = np.array(short, np.float64).reshape(array.shape)
    return np.where(np.isfinite(array), widened, array).tolist()
