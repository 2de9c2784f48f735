"""All of operations in one place, made of its options: what server.py asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
from starlette.types import ASGIApp

from serving.server.configs.logging import LoggingPolicy
from serving.server.configs.monitoring import metrics_path
from serving.server.operations.auth import TokenCheck, TokenInterceptor
from serving.server.operations.http_protocol import limited
from serving.server.operations.limits import grpc_options
from serving.server.operations.metrics.page import MetricsPage
from serving.server.operations.metrics.peers import Metrics
from serving.server.operations.observer import Observer
from serving.server.operations.options import OperationsOptions
from serving.server.operations.request_log.log import RequestLog
from serving.server.operations.secret_files import check_secret
from serving.server.operations.tls import Tls
from serving.server.operations.tokens import Tokens
from tfrs_app.contract.privacy import UserKey

_KEY_FLAG = "--request_log_user_key_file"


class Operations:
    """Holds what guards, counts and records the calls of one process."""

    def __init__(
        self, options: OperationsOptions, policies: Mapping[str, LoggingPolicy]
    ) -> None:
        """Reads every file that the options name.

        Args:
            options: of the server.
            policies: request logging by model name.

        Raises:
            ConfigError: a file is missing, malformed or open to others.
        """
        self._options = options
        monitoring = options.monitoring_config_file
        self._metrics_path = metrics_path(monitoring) if monitoring else None
        ssl_file = options.ssl_config_file
        self._tls = Tls(ssl_file) if ssl_file else None
        self._tokens = Tokens(options.auth_token_file, options.admin_token_file)
        self.metrics = Metrics(options.metrics_folder)
        self.request_log = RequestLog(
            policies, _user_key(options), self.metrics, options.rotation
        )

    @contextmanager
    def running(self) -> Iterator[Operations]:
        """Writes metrics and request log while the context is open."""
        with ExitStack() as stack:
            if self._metrics_path is not None:
                stack.enter_context(self.metrics.shared())
            stack.enter_context(self.request_log.running())
            yield self

    def reload(self) -> None:
        """Reads certificate and tokens again, as SIGHUP asks."""
        if self._tls is not None:
            self._tls.reload()
        self._tokens.reload()

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Returns who wants to know of calls."""
        counted = (self.metrics,) if self._metrics_path is not None else ()
        return (*counted, self.request_log)

    @property
    def scheme(self) -> str:
        """Returns `https` or `http`."""
        return "http" if self._tls is None else "https"

    @property
    def grpc_options(self) -> list[tuple[str, Any]]:
        """Returns the channel arguments of the gRPC server."""
        return grpc_options(self._options.limits)

    @property
    def interceptors(self) -> tuple[grpc.ServerInterceptor, ...]:
        """Returns what a gRPC call passes through before its handler."""
        return (TokenInterceptor(self._tokens),)

    def add_grpc_port(self, server: Any, address: str) -> int:
        """Opens a port of the gRPC server, encrypted if so configured; returns it.

        Raises:
            RuntimeError: it cannot be opened.
        """
        port: int = (
            server.add_insecure_port(address)
            if self._tls is None
            else server.add_secure_port(address, self._tls.server_credentials())
        )
        return port

    def wrapped(self, app: ASGIApp) -> ASGIApp:
        """Returns a REST application behind the token check, with metrics beside it."""
        if self._metrics_path is not None:
            app = MetricsPage(app, self._metrics_path, self.metrics.page)
        return TokenCheck(app, self._tokens, self._metrics_path)

    @property
    def uvicorn_settings(self) -> dict[str, Any]:
        """Returns the arguments of `uvicorn.Config` that operations decide."""
        limits = self._options.limits
        factory = None if self._tls is None else self._tls.ssl_context
        return {
            "http": limited(limits),
            "timeout_keep_alive": int(limits.idle_timeout_s) + 1,
            "ssl_context_factory": factory,
        }


def _user_key(options: OperationsOptions) -> UserKey | None:
    path = options.request_log_user_key_file
    if path is None:
        return None
    check_secret(path, _KEY_FLAG)
    return UserKey.of(f"file:{path}", _KEY_FLAG)
