"""Asks both fronts' callers for a bearer token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.json_text import dumps
from serving.server.operations.tokens import Right, Tokens, Verdict

_HEALTH = "/grpc.health.v1.Health/"
_ADMIN_METHODS = frozenset(
    {"/tensorflow.serving.ModelService/HandleReloadConfigRequest"}
)
OPEN_PATHS = frozenset({"/livez", "/readyz"})
"""What an orchestrator asks without a token: whether the server lives and is ready."""

_MESSAGES = {
    Verdict.UNKNOWN: "a bearer token is needed; send `authorization: Bearer <token>`",
    Verdict.FORBIDDEN: "this call needs the administrator's token",
}
_CODES = {
    Verdict.UNKNOWN: grpc.StatusCode.UNAUTHENTICATED,
    Verdict.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
}
_HTTP = {Verdict.UNKNOWN: 401, Verdict.FORBIDDEN: 403}


class TokenInterceptor(grpc.ServerInterceptor):
    """Refuses gRPC calls without a token, before their message is read."""

    def __init__(self, tokens: Tokens) -> None:
        """Takes the tokens."""
        self._tokens = tokens

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: Any
    ) -> Any:
        """Returns the call's handler, or one that refuses it."""
        verdict = self._tokens.verdict(
            _authorization(handler_call_details.invocation_metadata),
            _right_of_method(handler_call_details.method),
        )
        if verdict is Verdict.ALLOWED:
            return continuation(handler_call_details)

        def refuse(requests: Any, context: Any) -> Any:
            context.abort(_CODES[verdict], _MESSAGES[verdict])

        # A stream's handler starts without waiting for a message.
        return grpc.stream_unary_rpc_method_handler(refuse)


class TokenCheck:
    """Refuses HTTP requests without a token, before their body is read."""

    def __init__(self, app: ASGIApp, tokens: Tokens, metrics_path: str | None) -> None:
        """Takes who answers, the tokens, and where metrics are shown."""
        self._app = app
        self._tokens = tokens
        self._metrics_path = metrics_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        verdict = self._tokens.verdict(
            Headers(scope=scope).get("authorization"), self._right(scope)
        )
        if verdict is Verdict.ALLOWED:
            await self._app(scope, receive, send)
            return
        # The body stays unread, so the connection is of no further use.
        headers = {"connection": "close"}
        if verdict is Verdict.UNKNOWN:
            headers["www-authenticate"] = "Bearer"
        response = Response(
            dumps({"error": _MESSAGES[verdict]}, ()),
            _HTTP[verdict],
            headers,
            "application/json",
        )
        await response(scope, receive, send)

    def _right(self, scope: Scope) -> Right:
        if scope["path"] in OPEN_PATHS:
            return Right.NONE
        if scope["path"] == self._metrics_path:
            return Right.ADMINISTER
        return Right.ASK


def _right_of_method(method: str) -> Right:
    if method.startswith(_HEALTH):
        return Right.NONE
    return Right.ADMINISTER if method in _ADMIN_METHODS else Right.ASK


def _authorization(metadata: Any) -> str | None:
    for name, value in metadata or ():
        if name == "authorization":
            return str(value)
    return None
