"""uvicorn's HTTP/1 protocol, with limits that it lacks."""

from __future__ import annotations

import asyncio
import http
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.server.operations.http_framing import Framing, Part
from serving.server.operations.limits import Limits

_LONGEST_TICK_S = 1.0
_TICKS_A_TIMEOUT = 4
_LINGER_S = 2.0
"""Time in which a refused client may read why; closing at once would reset it while
it still sends, and its system would throw the answer away."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Refuses ambiguous and oversized requests and ends connections that linger."""

    limits = Limits()

    def connection_made(self, transport: Any) -> None:
        """Takes a connection, or turns it away where there are too many."""
        super().connection_made(transport)
        limits = self.limits
        self._framing = Framing(limits.max_head_bytes, limits.max_body_bytes)
        self._read_deadline = self.loop.time() + limits.head_timeout_s
        self._write_deadline: float | None = None
        self._refused = False
        self._tick_s = min(
            _LONGEST_TICK_S, limits.shortest_timeout_s / _TICKS_A_TIMEOUT
        )
        self._ticking: asyncio.TimerHandle | None = self.loop.call_later(
            self._tick_s, self._tick
        )
        if len(self.connections) > limits.max_connections:
            self._refuse(503, "too many connections; try again later")
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops watching a connection that has ended."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hands bytes to the parser, once they are known to have one meaning."""
        if self._refused:
            return
        before = self._framing.part
        sound, error = self._framing.feed(data)
        if sound:
            super().data_received(sound)
        if error is not None:
            self._refuse(error.status, error.reason)
            return
        self._move(before, self._framing.part)

    def send_400_response(self, msg: str) -> None:
        """Answers a request that the parser refused."""
        self._refuse(400, msg)

    def pause_writing(self) -> None:
        """Notes that the client does not take what it asked for."""
        super().pause_writing()
        self._write_deadline = self.loop.time() + self.limits.write_timeout_s

    def resume_writing(self) -> None:
        """Notes that the client has taken it."""
        super().resume_writing()
        self._write_deadline = None

    def _move(self, before: Part, now: Part) -> None:
        limits = self.limits
        if now is Part.IDLE:
            self._read_deadline = self.loop.time() + limits.idle_timeout_s
        elif now is not before:
            timeout_s = (
                limits.head_timeout_s if now is Part.HEAD else limits.body_timeout_s
            )
            self._read_deadline = self.loop.time() + timeout_s

    def _tick(self) -> None:
        self._ticking = self.loop.call_later(self._tick_s, self._tick)
        now = self.loop.time()
        if self._write_deadline is not None and now > self._write_deadline:
            self.transport.abort()
        elif now > self._read_deadline:
            self._expire()

    def _expire(self) -> None:
        if self._framing.part is not Part.IDLE:
            self._refuse(408, "the request did not arrive in time")
        elif self.cycle is None or self.cycle.response_complete:
            # What a client has not taken by now it will not take.
            self.transport.abort()

    def _refuse(self, status: int, reason: str) -> None:
        """Answers with an error, unless an answer has begun, and closes."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is None or self.cycle.response_complete or self._may_answer():
            body = orjson.dumps({"error": reason})
            head = (
                f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
                "content-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._write_deadline = self.loop.time() + _LINGER_S

    def _may_answer(self) -> bool:
        """Tells whether the request in progress is the one that is refused."""
        return self.cycle.more_body and not self.cycle.response_started


def limited(limits: Limits) -> type[LimitedHttpProtocol]:
    """Returns the protocol class with these limits, for uvicorn's `http=`."""
    return type("LimitedHttpProtocol", (LimitedHttpProtocol,), {"limits": limits})
