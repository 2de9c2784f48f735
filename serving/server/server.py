"""Starts, reloads and stops one server process: models, gRPC and REST."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from serving.server.configs.logging import LoggingPolicy
from serving.server.configs.model_server import read_model_configs
from serving.server.errors import ServingError
from serving.server.models.loader import load_servable
from serving.server.models.manager import ModelManager
from serving.server.models.model_config import ModelConfig
from serving.server.models.registry import ModelRegistry
from serving.server.operations.health import Health
from serving.server.operations.observer import Observers
from serving.server.operations.operations import Operations
from serving.server.options import Addresses, ServerOptions
from serving.server.ports import reserved
from serving.server.rest.app import RestApi
from serving.server.rest.front import RestFront
from serving.server.rpc.front import RpcFront
from serving.server.rpc.model_service import ModelService
from serving.server.rpc.prediction_service import PredictionService
from tfrs_app.contract.errors import UserError

_LOG = logging.getLogger(__name__)


class Server:
    """Serves the models of its options from this process."""

    def __init__(self, options: ServerOptions) -> None:
        """Takes options whose ports are numbers that nothing listens on."""
        self._options = options
        self._registry = ModelRegistry()
        self._operations = Operations(
            options.operations, _request_logs(options, options.models)
        )
        loader = partial(
            load_servable,
            batching=options.batching,
            protocol=options.protocol,
            metrics=self._operations.metrics,
        )
        self._manager = ModelManager(
            options.models, self._registry, options.lifecycle, loader
        )
        self._health = Health(self._registry, lambda: self._manager.models)
        self._operations.metrics.watch_states(self._states)
        self._operations.metrics.watch_queues(self._queues)
        self._observers = Observers(self._operations.observers)
        self._running = ExitStack()
        self._rpc: RpcFront | None = None
        self._rest: RestFront | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Loads the models, then opens the ports.

        Raises:
            ServerError: nothing can be loaded, or a port is taken.
        """
        self._running.enter_context(self._operations.running())
        self._manager.start()
        self._rpc = self._rpc_front()
        self._rpc.start()
        if self._options.rest_port is not None:
            api = RestApi(
                self._registry,
                self._observers,
                self._health,
                self._options,
            )
            self._rest = RestFront(
                self._options, self._options.rest_port, api, self._operations
            )
            self._rest.start()
        if self._options.config_poll_s > 0:
            threading.Thread(
                target=self._poll_config, name="model config", daemon=True
            ).start()

    def reload(self) -> None:
        """Reads certificates, tokens and the model config again, as SIGHUP asks."""
        self._operations.reload()
        self._reload_models()

    def _reload_models(self) -> None:
        """Serves what the model config file says now; a bad file changes nothing."""
        path = self._options.model_config_file
        if path is None:
            return
        try:
            self._serve(read_model_configs(path))
        except (UserError, ServingError) as error:
            _LOG.error("the model config was not taken over: %s", error)

    def _serve(self, models: Mapping[str, ModelConfig]) -> None:
        """Serves these models and no others.

        Raises:
            ServingError: see `ModelManager.reload`.
        """
        try:
            self._manager.reload(models)
        finally:  # models may have changed although a label could not
            logs = _request_logs(self._options, self._manager.models)
            self._operations.request_log.configure(logs)

    def stop(self) -> None:
        """Takes no new request, lets those in progress end, and unloads the models."""
        self._stopping.set()
        self._health.drain()
        if self._rest is not None:
            self._rest.stop()
        if self._rpc is not None:
            self._rpc.stop(self._options.lifecycle.grace_s).wait()
        if self._rest is not None:
            self._rest.join()
        self._manager.close()
        self._running.close()

    def _rpc_front(self) -> RpcFront:
        options = self._options
        return RpcFront(
            options,
            PredictionService(self._registry, self._observers, options.protocol),
            ModelService(
                self._registry,
                self._observers,
                self._serve if options.may_reload else None,
            ),
            self._health,
            self._operations,
        )

    def _states(self) -> Iterator[tuple[str, int, str]]:
        for model in self._registry.models():
            for status in self._registry.status(model):
                yield model, status.version, status.state.name

    def _queues(self) -> Iterator[tuple[str, int]]:
        for servable in self._registry.servables():
            yield servable.queue, servable.waiting_rows

    def _poll_config(self) -> None:
        path, taken = self._options.model_config_file, None
        while path is not None and not self._stopping.wait(self._options.config_poll_s):
            try:
                text = path.read_bytes()
            except OSError as error:
                text = str(error).encode()
            if taken is not None and text != taken:
                self._reload_models()
            taken = text


def _request_logs(
    options: ServerOptions, models: Mapping[str, ModelConfig]
) -> dict[str, LoggingPolicy]:
    """Returns the request log of each model that has one, its own or the flags'."""
    logs = {}
    for name, config in models.items():
        policy = config.logging or options.operations.request_log
        if policy is not None:
            logs[name] = policy
    return logs


@contextmanager
def started(options: ServerOptions) -> Iterator[Server]:
    """Yields a server that answers; it is stopped when the context closes.

    Raises:
        UserError: no model can be loaded, a port is taken, or a file that the options
            name cannot be used.
    """
    server = Server(options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def running(options: ServerOptions) -> Iterator[Addresses]:
    """Serves on threads of this process while the context is open.

    The ports open once the models are available; on leaving, calls in progress get
    `Lifecycle.grace_s` seconds to end.

    Raises:
        UserError: see `started`.
    """
    with reserved(options) as known, started(known):
        yield Addresses.of(known)
