"""What a server is started with."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.server.protocol import UPSTREAM, ProtocolOptions
from tfrs_app.contract.errors import ServerError

_MODEL_NAME = re.compile(r"[^/:]+")
_MAX_PORT = 65535


@dataclass(frozen=True)
class ServerOptions:
    """Says which models are served, and where.

    Attributes:
        models: base path (`<base path>/<version>/saved_model.pb`) by model name.
        grpc_port: 0 takes a free port.
        rest_port: 0 takes a free port.
        bind: IP address to listen on.
        insecure_allow_remote: permits a `bind` that other machines can reach; nothing
            is encrypted and nobody is asked who they are.
        protocol: choices that change what clients see.
    """

    models: Mapping[str, Path]
    grpc_port: int = 8500
    rest_port: int = 8501
    bind: str = "127.0.0.1"
    insecure_allow_remote: bool = False
    protocol: ProtocolOptions = UPSTREAM

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
            ServerError: names the option, its value and the remedy.
        """
        if not self.models:
            raise ServerError("no model to serve; give at least one name and base path")
        for name in self.models:
            if not _MODEL_NAME.fullmatch(name):
                raise ServerError(
                    f"model name {name!r} must be non-empty, without '/' and ':'"
                )
        for port in (self.grpc_port, self.rest_port):
            if not 0 <= port <= _MAX_PORT:
                raise ServerError(f"port {port} must lie between 0 and {_MAX_PORT}")
        self._check_bind()

    @property
    def is_ipv6(self) -> bool:
        """Tells whether `bind` is an IPv6 address."""
        return ipaddress.ip_address(self.bind).version == 6

    @property
    def host(self) -> str:
        """Returns `bind` as it stands in front of a port."""
        return f"[{self.bind}]" if self.is_ipv6 else self.bind

    def _check_bind(self) -> None:
        try:
            address = ipaddress.ip_address(self.bind)
        except ValueError as error:
            raise ServerError(
                f"bind {self.bind!r} is not an IP address; use 127.0.0.1"
            ) from error
        if not (address.is_loopback or self.insecure_allow_remote):
            raise ServerError(
                f"bind {self.bind} can be reached from other machines, without "
                "encryption or login; use 127.0.0.1 or allow it with "
                "--insecure_allow_remote"
            )
