"""How requests travel: four ways, each a few lines around a library."""

from __future__ import annotations

from typing import Protocol

from serving.client.steps import Reply, Request


class Transport(Protocol):
    """Sends requests from the thread that calls; many threads may."""

    def send(self, request: Request, timeout_s: float) -> Reply:
        """Returns the reply, whatever it says.

        Args:
            request: to send.
            timeout_s: for everything from connecting to the reply's last byte.

        Raises:
            DeadlineExceeded: it did not come in time.
            Unavailable: the server is not reached or closed the connection.
            AccessDenied: its certificate is not trusted.
        """

    def close(self) -> None:
        """Closes the connections."""


class AsyncTransport(Protocol):
    """Sends requests from asyncio tasks."""

    async def send(self, request: Request, timeout_s: float) -> Reply:
        """Returns the reply, as `Transport.send` does."""

    async def close(self) -> None:
        """Closes the connections."""
