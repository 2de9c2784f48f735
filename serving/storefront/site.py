"""Serves the page on the loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

HOST = "127.0.0.1"
_START_S = 30.0
_GRACE_S = 3


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Yields a socket that listens on this machine alone.

    Args:
        port: 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    with socket.create_server((HOST, port)) as opened:
        yield opened


def address_of(opened: socket.socket) -> str:
    """Returns what to type into a browser."""
    return f"http://{HOST}:{opened.getsockname()[1]}"


def serve_page(app: Starlette, opened: socket.socket) -> None:
    """Serves until the process is told to end."""
    uvicorn.Server(_config(app)).run(sockets=[opened])


@contextmanager
def serving_page(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serves on a thread while the context is open; yields the address.

    Raises:
        OSError: the port is taken.
        TimeoutError: the application does not start.
    """
    with listening(port) as opened:
        server = uvicorn.Server(_config(app))
        thread = threading.Thread(target=server.run, args=([opened],), daemon=True)
        thread.start()
        ended = threading.Event()
        for _ in range(int(_START_S / 0.02)):
            if server.started:
                break
            ended.wait(0.02)
        else:
            raise TimeoutError(f"the page did not start within {_START_S:g} s")
        try:
            yield address_of(opened)
        finally:
            server.should_exit = True
            thread.join()


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
