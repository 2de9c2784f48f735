"""Chooses the protocol by the address."""

from __future__ import annotations

from serving.client.errors import InvalidRequest
from serving.client.recommender import Recommender

_GRPC = "grpc"
_REST = ("http", "rest")


def connect(
    address: str, *, model: str, version: int | None = None, timeout_s: float = 5.0
) -> Recommender:
    """Returns a client of one model; it connects at the first call.

    Args:
        address: `host:port` or `grpc://host:port` for gRPC; `http://host:port` or
            `rest://host:port` for REST, which needs no TensorFlow.
        model: name that the server knows it by.
        version: None asks the latest.
        timeout_s: for each call, unless the call names its own.

    Raises:
        InvalidRequest: the address has another form.
    """
    scheme, separator, rest = address.partition("://")
    target = rest if separator else address
    if not separator:
        scheme = _GRPC
    if ":" not in target or scheme not in (_GRPC, *_REST):
        raise InvalidRequest(
            f"address {address!r} must be host:port, grpc://host:port or "
            "http://host:port"
        )
    # Imported here: TF Serving's stubs pull in TensorFlow, 6 s that REST is spared.
    if scheme == _GRPC:
        from serving.client.grpc_client import GrpcRecommender

        return GrpcRecommender(target, model, version, timeout_s)
    from serving.client.rest import RestRecommender

    return RestRecommender(f"http://{target}", model, version, timeout_s)
