"""Errors of a request, with their gRPC and HTTP status."""

from __future__ import annotations

import grpc

_HTTP_STATUS = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
_INTERNAL_HTTP_STATUS = 500

_CODE_OF_NUMBER = {code.value[0]: code for code in grpc.StatusCode}

_MAX_MESSAGE_BYTES = 1024


class ServingError(Exception):
    """Reports why a request got no answer.

    Attributes:
        code: gRPC status code.
        message: one sentence for the caller.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """Returns TF Serving's HTTP status for the code."""
        return _HTTP_STATUS.get(self.code, _INTERNAL_HTTP_STATUS)


def invalid(message: str) -> ServingError:
    """Returns an error for a request that can never succeed."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def code_of_number(number: int) -> grpc.StatusCode:
    """Returns the gRPC code with this number; TensorFlow's errors count alike."""
    return _CODE_OF_NUMBER.get(number, grpc.StatusCode.UNKNOWN)


def cut(message: str) -> str:
    """Returns a message that fits the gRPC trailer, marked where it was cut."""
    encoded = message.encode()
    if len(encoded) <= _MAX_MESSAGE_BYTES:
        return message
    return encoded[:_MAX_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
