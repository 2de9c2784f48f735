"""Takes ports before anything slow begins, so that a taken one is told at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from serving.server.options import ServerOptions
from tfrs_app.contract.errors import ServerError


@contextmanager
def reserved(options: ServerOptions) -> Iterator[ServerOptions]:
    """Yields the options with the numbers of their ports, kept while it is open.

    Nothing listens there yet: who connects is refused until a server is ready.

    Raises:
        ServerError: a port is taken or the address is not this machine's.
    """
    with ExitStack() as held:
        ports = {
            name: held.enter_context(_reserved(options, protocol, port))
            for name, protocol, port in (
                ("grpc_port", "gRPC", options.grpc_port),
                ("rest_port", "REST", options.rest_port),
            )
            if port is not None
        }
        yield replace(
            options,
            grpc_port=ports.get("grpc_port"),
            rest_port=ports.get("rest_port"),
        )


def listening(options: ServerOptions, port: int) -> socket.socket:
    """Returns a socket that takes connections, beside those of other workers."""
    listener = _shared_socket(options, port)
    listener.listen()
    return listener


@contextmanager
def _reserved(options: ServerOptions, protocol: str, port: int) -> Iterator[int]:
    try:
        with _socket(options) as alone:  # refuses a port that another server shares
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind((options.bind, port))
        placeholder = _shared_socket(options, port)
    except OSError as error:
        raise ServerError(
            f"cannot listen on {options.host}:{port} for {protocol}: the port is in "
            "use or the address is not this machine's; choose another or stop what "
            "holds it"
        ) from error
    with placeholder:
        yield placeholder.getsockname()[1]


def _shared_socket(options: ServerOptions, port: int) -> socket.socket:
    shared = _socket(options)
    try:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind((options.bind, port))
    except OSError:
        shared.close()
        raise
    return shared


def _socket(options: ServerOptions) -> socket.socket:
    return socket.socket(socket.AF_INET6 if options.is_ipv6 else socket.AF_INET)
