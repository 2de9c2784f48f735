"""What every gRPC method does around its own work: errors, deadlines, observers."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import Any

import grpc

from serving.server.errors import ServingError, cut
from serving.server.operations.observer import Call, Entrypoint

_LOG = logging.getLogger(__name__)

_FOREVER_S = 1e8

Method = Callable[[Any, Any, Call], Any]


def answered(method: Method) -> Callable[[Any, Any, Any], Any]:
    """Turns errors into gRPC statuses and drops calls whose deadline has passed.

    The method gets a `Call` to fill in instead of gRPC's context.
    """

    @functools.wraps(method)
    def answer(service: Any, request: Any, context: Any) -> Any:
        try:
            with service.observers.call(method.__name__, Entrypoint.GRPC) as call:
                call.header = functools.partial(_metadata, context)
                call.deadline = _deadline(context)
                _check_deadline(call)
                response = method(service, request, call)
                _check_deadline(call)
        except ServingError as error:
            context.abort(error.code, cut(error.message))
        except Exception as error:  # one call's fault must not be silent, nor spread
            _LOG.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, cut(type(error).__name__))
        return response

    return answer


def _metadata(context: Any, name: str) -> str | None:
    for key, value in context.invocation_metadata():
        if key == name:
            return str(value)
    return None


def _deadline(context: Any) -> float | None:
    remaining_s: float | None = context.time_remaining()
    if remaining_s is None or remaining_s > _FOREVER_S:
        return None  # gRPC's core tells calls without a deadline both ways
    return time.monotonic() + remaining_s


def _check_deadline(call: Call) -> None:
    if call.deadline is not None and time.monotonic() >= call.deadline:
        raise ServingError(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "the call's deadline passed before its answer was ready",
        )
