"""Keeps other sites out, and the browser to what the page itself needs."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.storefront.answers import refusal

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-cache",
}
_FROM_ELSEWHERE = frozenset({"cross-site", "same-site"})


class Guard:
    """Answers only requests that name this machine, sent by the page or by hand."""

    def __init__(self, app: ASGIApp) -> None:
        """Takes what is guarded."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = _refusal(scope)
        answer = self._app if refused is None else refused
        await answer(scope, receive, _with_headers(send))


def _refusal(scope: Scope) -> ASGIApp | None:
    headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
    host = headers.get("host", b"").decode("latin-1")
    # A name that an attacker resolves to 127.0.0.1 is still not ours.
    if _name_of(host) not in HOSTS:
        return refusal(
            421, "Refused", f"host {host!r} is not this machine; use 127.0.0.1"
        )
    asked_by = headers.get("sec-fetch-site", b"").decode("latin-1")
    if scope["path"].startswith("/api/") and asked_by in _FROM_ELSEWHERE:
        return refusal(403, "Refused", "another site may not ask this one")
    return None


def _name_of(host: str) -> str:
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdecimal() else host).lower()


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                *((name.encode(), value.encode()) for name, value in HEADERS.items()),
            ]
        await send(message)

    return sent
