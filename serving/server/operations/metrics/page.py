"""Shows the metrics at their path on the REST port."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.server.operations.metrics.exposition import CONTENT_TYPE


class MetricsPage:
    """Answers GET at one path; everything else is the other application's."""

    def __init__(self, app: ASGIApp, path: str, page: Callable[[], str]) -> None:
        """Takes who answers the rest, the path, and what returns the page."""
        self._app = app
        self._path = path
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        # Reading the other workers' files must not hold up the event loop.
        text = await run_in_threadpool(self._page)
        response = Response(text, headers={"content-type": CONTENT_TYPE})
        await response(scope, receive, send)
