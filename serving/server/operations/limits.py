"""What one client may take from the server: sizes, times, connections, streams."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from tfrs_app.contract.errors import ConfigError

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds what a client can ask for; TF Serving has next to none of these.

    Attributes:
        max_message_bytes: of a gRPC message, either way.
        max_body_bytes: of a HTTP request's body, as sent.
        max_inflated_bytes: of a gzip body, inflated; TF Serving's limit.
        max_head_bytes: of a HTTP request line with its headers, and of gRPC metadata.
        head_timeout_s: from a request's first byte to the end of its headers.
        body_timeout_s: from there to the end of its body.
        write_timeout_s: for a client to take an answer that waits for it.
        idle_timeout_s: between the requests of a connection.
        max_connections: on each port, in each process.
        max_streams: concurrent calls on one gRPC connection.
    """

    max_message_bytes: int = 64 * MIB
    max_body_bytes: int = 64 * MIB
    max_inflated_bytes: int = 100 * MIB
    max_head_bytes: int = 16 * 1024
    head_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    write_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    max_connections: int = 512
    max_streams: int = 128

    def __post_init__(self) -> None:
        """Checks that all are positive.

        Raises:
            ConfigError: names the limit and its value.
        """
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not value > 0:
                raise ConfigError(f"{limit.name} {value} must be above 0")

    @property
    def shortest_timeout_s(self) -> float:
        """Returns the least time after which a connection can be closed."""
        return min(
            self.head_timeout_s,
            self.body_timeout_s,
            self.write_timeout_s,
            self.idle_timeout_s,
        )


def grpc_options(limits: Limits) -> list[tuple[str, Any]]:
    """Returns the channel arguments of a gRPC server that keeps the limits.

    Names: https://grpc.github.io/grpc/core/group__grpc__arg__keys.html
    """
    return [
        ("grpc.max_receive_message_length", limits.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", limits.max_head_bytes),
        ("grpc.absolute_max_metadata_size", limits.max_head_bytes),
        ("grpc.max_concurrent_streams", limits.max_streams),
        # It would count ended calls until their memory is free, and so refuse clients
        # that keep to the limit.
        ("grpc.http.overload_protection", 0),
        ("grpc.max_allowed_incoming_connections", limits.max_connections),
        ("grpc.server_handshake_timeout_ms", int(limits.head_timeout_s * 1000)),
        # A third ping within 10 s of another is answered by ENHANCE_YOUR_CALM.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 2),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.hpack_table_size.decoder", 4096),
        # A client that went away without a word is noticed.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
