"""Starts and stops the gRPC and REST servers over one registry."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import grpc
import uvicorn
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from serving.server.models.registry import ModelRegistry
from serving.server.operations.observer import Observers
from serving.server.options import ServerOptions
from serving.server.rest.app import MAX_BODY_BYTES, RestApi
from serving.server.rpc.services import ModelService, PredictionService
from tfrs_app.contract.errors import ServerError

_LOG = logging.getLogger(__name__)

_GRACE_S = 5
_POLL_S = 0.01
_THREADS_PER_CORE = 4  # as TF Serving
_MAX_THREADS = 128


@dataclass(frozen=True)
class Addresses:
    """Tells where a server listens, in the form that a client connects to.

    Attributes:
        grpc: `host:port`.
        rest: `http://host:port`.
    """

    grpc: str
    rest: str


def serve(options: ServerOptions) -> None:
    """Serves until SIGINT or SIGTERM; must run in the main thread.

    Raises:
        ServerError: a model cannot be loaded or a port is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running(options) as addresses:
        _announce(options, addresses)
        stop.wait()


@contextmanager
def running(options: ServerOptions) -> Iterator[Addresses]:
    """Runs both servers on threads of this process while the context is open.

    The ports open once every model is available; on leaving, calls in progress get
    `_GRACE_S` seconds to end.

    Raises:
        ServerError: a model cannot be loaded or a port is taken.
    """
    gc.freeze()  # TensorFlow's million objects; each full collection took 0.2 s
    registry = ModelRegistry(options.models, options.batching)
    observers = Observers()
    with ExitStack() as stack:
        stack.callback(registry.close)
        registry.load()
        yield Addresses(
            grpc=stack.enter_context(_grpc_server(options, registry, observers)),
            rest=stack.enter_context(_rest_server(options, registry, observers)),
        )


@contextmanager
def _grpc_server(
    options: ServerOptions, registry: ModelRegistry, observers: Observers
) -> Iterator[str]:
    threads = _grpc_threads(options)
    server = grpc.server(
        ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
        options=[
            ("grpc.so_reuseport", 0),  # else a port in use is shared, not refused
            ("grpc.max_receive_message_length", MAX_BODY_BYTES),
            ("grpc.max_send_message_length", -1),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(registry, observers), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(registry, observers), server
    )
    try:
        port = server.add_insecure_port(f"{options.host}:{options.grpc_port}")
    except RuntimeError as error:
        raise _taken("gRPC", options, options.grpc_port) from error
    server.start()
    try:
        yield f"{options.host}:{port}"
    finally:
        server.stop(_GRACE_S).wait()


def _grpc_threads(options: ServerOptions) -> int:
    """Returns how many calls wait for answers at once; batches need twice their size.

    While one batch runs, the next one fills.
    """
    threads = _THREADS_PER_CORE * (os.cpu_count() or 1)
    if options.batching.common is None:
        return threads
    return max(threads, min(2 * options.batching.common.rows_a_batch, _MAX_THREADS))


@contextmanager
def _rest_server(
    options: ServerOptions, registry: ModelRegistry, observers: Observers
) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(
            RestApi(registry, observers, options.rest_timeout_s),
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    with _bound_socket(options) as listener:
        thread = threading.Thread(
            target=server.run, args=([listener],), name="rest", daemon=True
        )
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield f"http://{options.host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _bound_socket(options: ServerOptions) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if options.is_ipv6 else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.bind, options.rest_port))
        # Listening here, not in uvicorn, makes a taken port fail at once.
        listener.listen()
    except OSError as error:
        listener.close()
        raise _taken("REST", options, options.rest_port) from error
    return listener


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    while not server.started:
        if not thread.is_alive():
            raise ServerError("the REST server ended while it started; see its log")
        time.sleep(_POLL_S)


def _taken(protocol: str, options: ServerOptions, port: int) -> ServerError:
    return ServerError(
        f"cannot listen on {options.host}:{port} for {protocol}: the port is in use or "
        "the address is not this machine's; choose another or stop what holds it"
    )


def _announce(options: ServerOptions, addresses: Addresses) -> None:
    sys.stdout.write(
        f"serving {', '.join(options.models)}: gRPC {addresses.grpc}, "
        f"REST {addresses.rest}\n"
    )
    sys.stdout.flush()
