"""Requests that are written beforehand, and answers that are read and doubted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from serving.client.access import Access, Tls
from serving.client.answers import read_lists
from serving.client.connect import place_of
from serving.client.conversation import outputs_of
from serving.client.dialect import Dialect, Target
from serving.client.errors import InvalidRequest
from serving.client.listing import length_input
from serving.client.shopper import Shopper, query_inputs
from serving.client.spec import Signature, VersionStatus, checked_inputs
from serving.client.steps import Request
from serving.client.transport import AsyncTransport

_SPEC_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Probe:
    """Sends one of many requests, over either protocol, without retries.

    Attributes:
        dialect: writes and reads messages.
        transport: carries them.
        spec: of the signature that is asked.
        requests: written out, to draw from.
        k: length of the lists that they ask for.
    """

    dialect: Dialect
    transport: AsyncTransport
    spec: Signature
    requests: Sequence[Request]
    k: int

    async def ask(self, number: int, timeout_s: float) -> None:
        """Sends a request and reads its answer.

        Args:
            number: of the request; numbers begin anew behind the last.
            timeout_s: for all of it.

        Raises:
            ClientError: a subclass says why there is no believable answer.
        """
        request = self.requests[number % len(self.requests)]
        reply = await self.transport.send(request, timeout_s)
        read_lists(outputs_of(self.dialect, self.spec, reply), rows=1, k=self.k)

    async def versions(self, timeout_s: float) -> list[VersionStatus]:
        """Returns the state of the model's versions.

        Raises:
            ClientError: a subclass says why it is not known.
        """
        reply = await self.transport.send(self.dialect.status_request(), timeout_s)
        return self.dialect.read_status(reply)


@dataclass(frozen=True)
class Server:
    """Names what is put under load.

    Attributes:
        address: as `connect` takes it.
        model: name that the server knows it by.
        connections: HTTP connections at most; gRPC has one.
    """

    address: str
    model: str
    connections: int

    def open(self) -> tuple[Dialect, AsyncTransport]:
        """Returns what speaks to it."""
        place, target = place_of(self.address), Target(self.model)
        access = Access(Tls() if place.is_secure else None)
        if place.is_grpc:
            from serving.client.grpc_dialect import GrpcDialect
            from serving.client.grpc_transport import AsyncGrpcTransport

            return (
                GrpcDialect(place.target, target),
                AsyncGrpcTransport(place.target, access),
            )
        from serving.client.async_rest_transport import AsyncHttpTransport
        from serving.client.rest_dialect import RestDialect

        return (
            RestDialect(place.url, target),
            AsyncHttpTransport(place.url, access, self.connections),
        )


@asynccontextmanager
async def opened_probe(
    server: Server, signature: str, shoppers: Sequence[Shopper], k: int
) -> AsyncIterator[Probe]:
    """Yields a probe whose requests fit the model that is served.

    Args:
        server: to ask.
        signature: that lists items for a shopper.
        shoppers: one request each.
        k: length of the lists.

    Raises:
        ClientError: the server can't be asked, or lacks the signature.
    """
    dialect, transport = server.open()
    try:
        reply = await transport.send(dialect.metadata_request(), _SPEC_TIMEOUT_S)
        known = dialect.read_signatures(reply)
        if signature not in known:
            raise InvalidRequest(
                f"the model has no signature {signature!r}; it has "
                f"{', '.join(sorted(known))}"
            )
        spec = known[signature]
        requests = [
            dialect.predict_request(
                signature,
                checked_inputs(
                    signature, spec, {**query_inputs([s]), "k": length_input(k)}
                ),
            )
            for s in shoppers
        ]
        yield Probe(dialect, transport, spec, requests, k)
    finally:
        await transport.close()
