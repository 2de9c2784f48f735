"""What a server is started with."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serving.server.batching.options import NO_BATCHING, BatchingOptions
from serving.server.models.lifecycle import Lifecycle
from serving.server.models.model_config import ModelConfig, check_models
from serving.server.operations.options import OperationsOptions
from serving.server.protocol import UPSTREAM, ProtocolOptions
from tfrs_app.contract.errors import ServerError

_MAX_PORT = 65535


@dataclass(frozen=True)
class ServerOptions:
    """Says which models are served, where, and how.

    Attributes:
        models: by name.
        grpc_port: 0 takes a free port, None serves no gRPC by TCP.
        rest_port: 0 takes a free port, None serves no REST.
        bind: IP address to listen on.
        insecure_allow_remote: permits a `bind` that other machines can reach; nothing
            is encrypted and nobody is asked who they are.
        grpc_socket_path: Unix socket to serve gRPC on besides, empty for none.
        grpc_channel_arguments: arguments of gRPC's core by name.
        grpc_threads: calls that are answered at once over gRPC; None for four a core.
        model_config_file: where `models` came from; read again on SIGHUP.
        config_poll_s: seconds between looks at that file, 0 never looks.
        lifecycle: how versions come and go.
        reload_rpc: whether clients may replace the models; None permits it on the
            loopback only, since a base path is code that will be run.
        workers: processes that share the ports.
        rest_timeout_s: how long a REST request may take.
        batching: whether requests are batched, and how.
        operations: metrics, TLS, tokens, limits, logs.
        protocol: choices that clients see.
    """

    models: Mapping[str, ModelConfig]
    grpc_port: int | None = 8500
    rest_port: int | None = 8501
    bind: str = "127.0.0.1"
    insecure_allow_remote: bool = False
    grpc_socket_path: str = ""
    grpc_channel_arguments: Sequence[tuple[str, str | int]] = ()
    grpc_threads: int | None = None
    model_config_file: Path | None = None
    config_poll_s: float = 0
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    reload_rpc: bool | None = None
    workers: int = 1
    rest_timeout_s: float = 30.0
    batching: BatchingOptions = NO_BATCHING
    operations: OperationsOptions = field(default_factory=OperationsOptions)
    protocol: ProtocolOptions = UPSTREAM

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
            ServerError: names the option, its value and the remedy.
        """
        if not self.models:
            raise ServerError("no model to serve; give at least one name and base path")
        check_models(self.models)
        for port in (self.grpc_port, self.rest_port):
            if port is not None and not 0 <= port <= _MAX_PORT:
                raise ServerError(f"port {port} must lie between 0 and {_MAX_PORT}")
        if self.grpc_port is None and self.rest_port is None:
            if not self.grpc_socket_path:
                raise ServerError("nothing to listen on: gRPC and REST are both off")
        elif self.grpc_port == self.rest_port and self.grpc_port:
            raise ServerError(
                f"gRPC and REST cannot both listen on port {self.grpc_port}; "
                "choose another for one of them"
            )
        if self.workers < 1:
            raise ServerError(f"workers {self.workers} must be at least 1")
        self._check_bind()

    @property
    def is_ipv6(self) -> bool:
        """Tells whether `bind` is an IPv6 address."""
        return ipaddress.ip_address(self.bind).version == 6

    @property
    def is_local(self) -> bool:
        """Tells whether only this machine can reach the server."""
        return ipaddress.ip_address(self.bind).is_loopback

    @property
    def may_reload(self) -> bool:
        """Tells whether clients may replace the models."""
        if self.reload_rpc is None:
            return self.is_local and self.workers == 1
        return self.reload_rpc

    @property
    def host(self) -> str:
        """Returns `bind` as it stands in front of a port."""
        return f"[{self.bind}]" if self.is_ipv6 else self.bind

    def _check_bind(self) -> None:
        try:
            ipaddress.ip_address(self.bind)
        except ValueError as error:
            raise ServerError(
                f"bind {self.bind!r} is not an IP address; use 127.0.0.1"
            ) from error
        encrypted = self.operations.ssl_config_file is not None
        if not (self.is_local or encrypted or self.insecure_allow_remote):
            raise ServerError(
                f"bind {self.bind} can be reached from other machines, without "
                "encryption or login; use 127.0.0.1, encrypt with --ssl_config_file or "
                "allow it with --insecure_allow_remote"
            )


@dataclass(frozen=True)
class Addresses:
    """Tells where a server listens, in the form that a client connects to.

    Attributes:
        grpc: `host:port`, empty if gRPC is off.
        rest: `http://host:port` or `https://...`, empty if REST is off.
    """

    grpc: str
    rest: str

    @classmethod
    def of(cls, options: ServerOptions) -> Addresses:
        """Returns the addresses of options whose ports are known."""
        grpc, rest = options.grpc_port, options.rest_port
        scheme = "https" if options.operations.ssl_config_file else "http"
        return cls(
            grpc="" if grpc is None else f"{options.host}:{grpc}",
            rest="" if rest is None else f"{scheme}://{options.host}:{rest}",
        )
