"""Which model and version a gRPC request is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from serving.server.errors import invalid
from serving.server.models.registry import ModelRegistry
from serving.server.models.servable import Servable
from serving.server.operations.observer import Call


@contextmanager
def leased(registry: ModelRegistry, request: Any, call: Call) -> Iterator[Servable]:
    """Yields the version that a request's model_spec asks for, noted on the call.

    Raises:
        ServingError: INVALID_ARGUMENT without a name, NOT_FOUND.
    """
    spec = named_spec(request)
    call.model = spec.name
    label = spec.version_label if _choice(spec) == "version_label" else None
    with registry.lease(spec.name, version_of(spec), label) as servable:
        call.version = servable.version
        yield servable


def check_model_spec(request: Any) -> None:
    """Checks that a request has a model_spec.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")


def version_of(spec: Any) -> int | None:
    """Returns the version that a ModelSpec names by number."""
    return spec.version.value if _choice(spec) == "version" else None


def named_spec(request: Any) -> Any:
    """Returns a request's ModelSpec, which has a name.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    check_model_spec(request)
    if not request.model_spec.name:
        raise invalid("ModelSpec has no name specified.")
    return request.model_spec


def _choice(spec: Any) -> str | None:
    choice: str | None = spec.WhichOneof("version_choice")
    return choice
