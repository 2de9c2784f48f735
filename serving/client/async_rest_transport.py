"""HTTP over httpcore, for asyncio."""

from __future__ import annotations

import asyncio

import httpcore

from serving.client.access import Access
from serving.client.rest_transport import (
    CONNECTIONS,
    KEPT_IDLE_S,
    headers,
    translated,
    verb,
)
from serving.client.steps import Reply, Request


class AsyncHttpTransport:
    """Sends over kept connections, one request a connection at a time."""

    def __init__(
        self, url: str, access: Access, connections: int = CONNECTIONS
    ) -> None:
        """Takes `http://host:port` or `https://host:port`."""
        self._url = url
        self._headers = headers(url, access)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=access.tls.context() if access.tls else None,
            max_connections=connections,
            keepalive_expiry=KEPT_IDLE_S,
        )

    async def send(self, request: Request, timeout_s: float) -> Reply:
        """Returns the reply; see `Transport.send`."""
        with translated(self._url, timeout_s):
            async with asyncio.timeout(timeout_s):
                response = await self._pool.request(
                    verb(request),
                    self._url + request.path,
                    headers=self._headers,
                    content=request.body,
                )
        return Reply(response.status, response.content)

    async def close(self) -> None:
        """Closes the connections."""
        await self._pool.aclose()
