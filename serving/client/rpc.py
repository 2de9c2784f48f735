"""Asks a model server over gRPC."""

from __future__ import annotations

from serving.client.async_recommender import AsyncRecommender
from serving.client.dialect import Target
from serving.client.grpc_dialect import GrpcDialect
from serving.client.grpc_transport import AsyncGrpcTransport, GrpcTransport
from serving.client.recommender import Options, Recommender


class GrpcRecommender(Recommender):
    """Speaks TF Serving's PredictionService and ModelService."""

    def __init__(
        self, address: str, target: Target, options: Options | None = None
    ) -> None:
        """Takes the server's `host:port`; connects at the first call."""
        chosen = options or Options()
        super().__init__(
            chosen.questions(GrpcDialect(address, target)),
            GrpcTransport(address, chosen.access),
        )


class AsyncGrpcRecommender(AsyncRecommender):
    """Speaks TF Serving's PredictionService and ModelService, in asyncio."""

    def __init__(
        self, address: str, target: Target, options: Options | None = None
    ) -> None:
        """Takes the server's `host:port`; connects at the first call."""
        chosen = options or Options()
        super().__init__(
            chosen.questions(GrpcDialect(address, target)),
            AsyncGrpcTransport(address, chosen.access),
        )
