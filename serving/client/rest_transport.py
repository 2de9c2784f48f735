"""HTTP over httpcore, the part of httpx that moves bytes: half the time to import."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

from serving.client.access import Access
from serving.client.errors import AccessDenied, DeadlineExceeded, Unavailable
from serving.client.steps import Reply, Request

CONNECTIONS = 128
KEPT_IDLE_S = 60.0
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"

_ends_at: ContextVar[float] = ContextVar("_ends_at")
"""When the request that this thread sends has to be over, by the monotonic clock."""


class _DeadlineStream(httpcore.NetworkStream):
    """Counts every read and write towards the request's end.

    httpcore gives each read its time anew, so a server that sends a byte a second
    would never run out of it.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(httpcore.ConnectTimeout)
        secure = self._stream.start_tls(ssl_context, server_hostname, left_s)
        return _DeadlineStream(secure)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _DeadlineBackend(httpcore.NetworkBackend):
    """Opens streams that count towards the request's end."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(httpcore.ConnectTimeout)
        return _DeadlineStream(
            self._backend.connect_tcp(host, port, left_s, local_address, socket_options)
        )


class HttpTransport:
    """Sends over kept connections, one request a connection at a time."""

    def __init__(self, url: str, access: Access) -> None:
        """Takes `http://host:port` or `https://host:port`."""
        self._url = url
        self._headers = headers(url, access)
        self._pool = httpcore.ConnectionPool(
            ssl_context=access.tls.context() if access.tls else None,
            max_connections=CONNECTIONS,
            keepalive_expiry=KEPT_IDLE_S,
            network_backend=_DeadlineBackend(),
        )

    def send(self, request: Request, timeout_s: float) -> Reply:
        """Returns the reply; see `Transport.send`."""
        token = _ends_at.set(time.monotonic() + timeout_s)
        try:
            with translated(self._url, timeout_s):
                response = self._pool.request(
                    verb(request),
                    self._url + request.path,
                    headers=self._headers,
                    content=request.body,
                    extensions={"timeout": {"pool": timeout_s}},
                )
        finally:
            _ends_at.reset(token)
        return Reply(response.status, response.content)

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()


def _left_s(late: type[httpcore.TimeoutException]) -> float:
    left_s = _ends_at.get() - time.monotonic()
    if left_s <= 0:
        raise late
    return left_s


def verb(request: Request) -> str:
    """Returns the HTTP method of a request."""
    return "GET" if request.body is None else "POST"


def headers(url: str, access: Access) -> list[tuple[str, str]]:
    """Returns what every request says of itself."""
    authority = url.partition("://")[2]
    return [("host", authority), ("accept", "application/json"), *access.headers()]


@contextmanager
def translated(url: str, timeout_s: float) -> Iterator[None]:
    """Turns httpcore's errors into ours."""
    try:
        yield
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise DeadlineExceeded(f"{url}: no answer within {timeout_s:.3g} s") from error
    # asyncio lets the alerts of TLS through as they are.
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
        if _UNTRUSTED in str(error):
            raise AccessDenied(f"{url}: {error}") from error
        told = str(error) or type(error).__name__
        raise Unavailable(
            f"{url}: not reached ({told}); is the server running?"
        ) from error
