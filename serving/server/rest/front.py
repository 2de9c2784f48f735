"""The HTTP server: uvicorn on a thread of its own."""

from __future__ import annotations

import threading
import time

import uvicorn

from serving.server.operations.operations import Operations
from serving.server.options import ServerOptions
from serving.server.ports import listening
from serving.server.rest.app import RestApi
from tfrs_app.contract.errors import ServerError

_POLL_S = 0.01


class RestFront:
    """Answers HTTP requests on a thread of this process once it is started."""

    def __init__(
        self, options: ServerOptions, port: int, api: RestApi, operations: Operations
    ) -> None:
        """Takes the port, which must be free to listen on, and what answers."""
        self._options = options
        self._port = port
        self._server = uvicorn.Server(
            uvicorn.Config(
                operations.wrapped(api),
                lifespan="off",
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=int(options.lifecycle.grace_s) or 1,
                **operations.uvicorn_settings,
            )
        )
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to listen and to answer.

        Raises:
            ServerError: uvicorn ended at once.
        """
        listener = listening(self._options, self._port)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="rest", daemon=True
        )
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise ServerError("the REST server ended while it started; see its log")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Takes no new request; `join` waits for those in progress."""
        self._server.should_exit = True

    def join(self) -> None:
        """Returns when the last request has ended or its grace is over."""
        if self._thread is not None:
            self._thread.join()
