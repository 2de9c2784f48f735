"""What a REST path asks for: TF Serving's grammar, exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from serving.server.errors import invalid
from serving.server.models.versions import MAX_VERSION

_NAME = r"/(?P<name>[^/:]+)"
_CHOICE = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(
    rf"/v1/models{_NAME}{_CHOICE}:(?P<verb>predict|classify|regress)", re.IGNORECASE
)
_GET = re.compile(
    rf"/v1/models(?:{_NAME})?{_CHOICE}(?:/(?P<metadata>metadata))?", re.IGNORECASE
)


class Verb(StrEnum):
    """What is asked of a model."""

    PREDICT = "predict"
    CLASSIFY = "classify"
    REGRESS = "regress"
    METADATA = "metadata"
    STATUS = "status"


@dataclass(frozen=True)
class Target:
    """Names a model, perhaps one version of it, and what is asked of it."""

    verb: Verb
    model: str
    version: int | None = None
    label: str | None = None


def is_api_path(path: str) -> bool:
    """Tells whether a path belongs to the API; others are 404."""
    return path.lower().startswith("/v1/")


def parse(method: str, path: str) -> Target:
    """Returns what a request line asks for.

    Args:
        method: HTTP method.
        path: still percent-encoded, without the query.

    Raises:
        ServingError: INVALID_ARGUMENT for everything outside the grammar.
    """
    pattern = {"POST": _POST, "GET": _GET}.get(method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise invalid(f"Malformed request: {method} {path}")
    version = _version(match["version"])
    if match["name"] is None:
        raise invalid("Missing model name in request.")
    return Target(
        verb=_verb(match, f"{method} {path}"),
        model=unquote(match["name"]),
        version=version,
        label=None if match["label"] is None else unquote(match["label"]),
    )


def _verb(match: re.Match[str], line: str) -> Verb:
    groups = match.groupdict()
    if "verb" not in groups:
        # Any case fits the path, only lower case asks for metadata.
        return Verb.METADATA if groups["metadata"] == "metadata" else Verb.STATUS
    try:
        return Verb(groups["verb"])  # any case fits the path, only lower case is known
    except ValueError as error:
        raise invalid(f"Malformed request: {line}") from error


def _version(digits: str | None) -> int | None:
    if digits is None:
        return None
    if len(digits.lstrip("0")) > len(str(MAX_VERSION)) or int(digits) > MAX_VERSION:
        raise invalid(f"Failed to convert version: {digits[:32]} to numeric.")
    return int(digits)
