"""Asks a model server for recommendations, over REST or gRPC, without TensorFlow."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from serving.client.access import Access, Tls
from serving.client.answers import Explanation, Item, ItemList
from serving.client.connect import connect, connect_async
from serving.client.conversation import Exchange
from serving.client.dialect import Target
from serving.client.errors import (
    AccessDenied,
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    ServerFault,
    Unavailable,
    WrongAnswer,
)
from serving.client.fallback import Asked
from serving.client.recommender import Options, Recommender
from serving.client.retries import Retries
from serving.client.shopper import Shopper
from serving.client.spec import Signature, TensorSpec, VersionStatus

if TYPE_CHECKING:
    from serving.client.async_recommender import AsyncRecommender
    from serving.client.async_rest import AsyncRestRecommender
    from serving.client.rest import RestRecommender
    from serving.client.rpc import AsyncGrpcRecommender, GrpcRecommender

_HOMES = {
    "AsyncRecommender": "async_recommender",
    "AsyncRestRecommender": "async_rest",
    "RestRecommender": "rest",
    "AsyncGrpcRecommender": "rpc",
    "GrpcRecommender": "rpc",
}
"""Where what needs a protocol's library, or asyncio, lives."""

__all__ = [
    "Access",
    "AccessDenied",
    "Asked",
    "AsyncGrpcRecommender",
    "AsyncRecommender",
    "AsyncRestRecommender",
    "ClientError",
    "DeadlineExceeded",
    "Exchange",
    "Explanation",
    "GrpcRecommender",
    "InvalidRequest",
    "Item",
    "ItemList",
    "ModelNotFound",
    "Options",
    "Overloaded",
    "Recommender",
    "RestRecommender",
    "Retries",
    "ServerFault",
    "Shopper",
    "Signature",
    "Target",
    "TensorSpec",
    "Tls",
    "Unavailable",
    "VersionStatus",
    "WrongAnswer",
    "connect",
    "connect_async",
]


def __getattr__(name: str) -> Any:
    """Imports a client when it is first named."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
