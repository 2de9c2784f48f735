"""Asks a model server for recommendations, over REST or gRPC, through one interface."""

from serving.client.connect import connect
from serving.client.errors import (
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    ServerFault,
    Unavailable,
)
from serving.client.recommender import Recommender, Signature, TensorSpec, VersionStatus

__all__ = [
    "ClientError",
    "DeadlineExceeded",
    "InvalidRequest",
    "ModelNotFound",
    "Recommender",
    "ServerFault",
    "Signature",
    "TensorSpec",
    "Unavailable",
    "VersionStatus",
    "connect",
]
