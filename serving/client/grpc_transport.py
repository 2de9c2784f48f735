"""HTTP/2 over grpcio; messages are bytes here, so no stubs are needed."""

from __future__ import annotations

from typing import Any

import grpc

from serving.client.access import Access, Tls
from serving.client.steps import Reply, Request

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),  # ours have a budget
    # A server that was restarted is found again within a retry's pause.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class GrpcTransport:
    """Sends over one channel, many requests at a time."""

    def __init__(self, address: str, access: Access) -> None:
        """Takes `host:port`."""
        self._metadata = access.headers()
        self._channel = (
            grpc.secure_channel(address, _credentials(access.tls), _OPTIONS)
            if access.tls
            else grpc.insecure_channel(address, _OPTIONS)
        )
        self._methods: dict[str, Any] = {}

    def send(self, request: Request, timeout_s: float) -> Reply:
        """Returns the reply; see `Transport.send`. Errors are told by its code."""
        method = self._methods.get(request.path)
        if method is None:
            method = self._methods[request.path] = self._channel.unary_unary(
                request.path
            )
        try:
            body = method(request.body, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            return _refusal(error)
        return Reply(0, body)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


class AsyncGrpcTransport:
    """The same for asyncio; a channel belongs to the loop that first uses it."""

    def __init__(self, address: str, access: Access) -> None:
        """Takes `host:port`."""
        self._address, self._access = address, access
        self._metadata = access.headers()
        self._channel: Any = None
        self._methods: dict[str, Any] = {}

    async def send(self, request: Request, timeout_s: float) -> Reply:
        """Returns the reply; see `Transport.send`. Errors are told by its code."""
        if self._channel is None:
            self._channel = self._open()
        method = self._methods.get(request.path)
        if method is None:
            method = self._methods[request.path] = self._channel.unary_unary(
                request.path
            )
        try:
            body = await method(
                request.body, timeout=timeout_s, metadata=self._metadata
            )
        except grpc.RpcError as error:
            return _refusal(error)
        return Reply(0, body)

    async def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None:
            await self._channel.close()

    def _open(self) -> Any:
        if self._access.tls is None:
            return grpc.aio.insecure_channel(self._address, _OPTIONS)
        credentials = _credentials(self._access.tls)
        return grpc.aio.secure_channel(self._address, credentials, _OPTIONS)


def _credentials(tls: Tls) -> Any:
    certificate, key = tls.certificate_file, tls.key_file
    return grpc.ssl_channel_credentials(
        root_certificates=tls.ca_file.read_bytes() if tls.ca_file else None,
        private_key=key.read_bytes() if key else None,
        certificate_chain=certificate.read_bytes() if certificate else None,
    )


def _refusal(error: Any) -> Reply:
    return Reply(error.code().value[0], b"", error.details() or "")
