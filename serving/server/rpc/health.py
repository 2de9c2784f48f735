"""gRPC's standard health service over what `Health` tells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.server.operations.health import Health

_SERVICES = frozenset(
    {
        "",
        "ModelService",
        "PredictionService",
        "tensorflow.serving.ModelService",
        "tensorflow.serving.PredictionService",
    }
)
_LOOK_S = 0.5


class HealthService(health_pb2_grpc.HealthServicer):
    """Answers Check and Watch, by TF Serving's service names and by full ones."""

    def __init__(self, health: Health) -> None:
        """Takes what tells whether requests should come."""
        self._health = health

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Returns SERVING or NOT_SERVING."""
        if request.service not in _SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(status=self._status(request.service))

    def Watch(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Yields the status now and at every change."""
        told = None
        while context.is_active():
            status = self._status(request.service)
            if status != told:
                yield health_pb2.HealthCheckResponse(status=status)
                told = status
            time.sleep(_LOOK_S)

    def _status(self, service: str) -> Any:
        statuses = health_pb2.HealthCheckResponse
        if service not in _SERVICES:
            return statuses.SERVICE_UNKNOWN
        return statuses.NOT_SERVING if self._health.trouble() else statuses.SERVING
