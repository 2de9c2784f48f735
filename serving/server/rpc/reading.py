"""Messages that cannot be read are the caller's fault, told as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError


@dataclass(frozen=True)
class _Unreadable:
    """Stands for a message that could not be read."""

    reason: str


class ReadingInterceptor(grpc.ServerInterceptor):
    """Answers INVALID_ARGUMENT to bytes that are no message of the call's type.

    gRPC itself ends such a stream at once, and a client that still sends sees
    UNAVAILABLE, which asks it to try again.
    """

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: Any
    ) -> Any:
        """Returns the call's handler behind the check."""
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        def read(message: bytes) -> Any:
            try:
                return handler.request_deserializer(message)
            except DecodeError as error:
                return _Unreadable(str(error))

        def answer(request: Any, context: Any) -> Any:
            if isinstance(request, _Unreadable):
                context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"the message cannot be read: {request.reason}",
                )
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, read, handler.response_serializer
        )
