"""The gRPC server: its threads, ports and services."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from serving.server.operations.health import Health
from serving.server.operations.operations import Operations
from serving.server.options import ServerOptions
from serving.server.rpc.health import HealthService
from serving.server.rpc.model_service import ModelService
from serving.server.rpc.prediction_service import PredictionService
from serving.server.rpc.reading import ReadingInterceptor
from tfrs_app.contract.errors import ServerError

_THREADS_PER_CORE = 4  # as TF Serving
_MAX_THREADS = 128


class RpcFront:
    """Answers gRPC calls on threads of this process once it is started."""

    def __init__(
        self,
        options: ServerOptions,
        prediction: PredictionService,
        models: ModelService,
        health: Health,
        operations: Operations,
    ) -> None:
        """Opens the port without answering yet.

        Raises:
            ServerError: a port or the Unix socket cannot be opened.
        """
        threads = options.grpc_threads or _threads(options)
        self._server = grpc.server(
            ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
            options=[
                ("grpc.so_reuseport", 1),  # beside the placeholder and other workers
                *operations.grpc_options,
                *options.grpc_channel_arguments,
            ],
            interceptors=(*operations.interceptors, ReadingInterceptor()),
        )
        self._operations = operations
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            prediction, self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(models, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(
            HealthService(health), self._server
        )
        if options.grpc_port is not None:
            self._open(f"{options.host}:{options.grpc_port}")
        if options.grpc_socket_path:
            self._open(f"unix:{options.grpc_socket_path}")

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()

    def stop(self, grace_s: float) -> threading.Event:
        """Takes no new call; returns what is set when those in progress have ended."""
        stopped: threading.Event = self._server.stop(grace_s)
        return stopped

    def _open(self, address: str) -> None:
        try:
            self._operations.add_grpc_port(self._server, address)
        except RuntimeError as error:
            raise ServerError(
                f"cannot listen on {address} for gRPC: it is in use or may not be "
                "opened; choose another or stop what holds it"
            ) from error


def _threads(options: ServerOptions) -> int:
    """Returns how many calls wait for answers at once; batches need twice their size.

    While one batch runs, the next one fills.
    """
    threads = _THREADS_PER_CORE * (os.cpu_count() or 1)
    if options.batching.common is None:
        return threads
    return max(threads, min(2 * options.batching.common.rows_a_batch, _MAX_THREADS))
