"""Asks a model server over gRPC; TF Serving's stubs import TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.client.errors import (
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    ServerFault,
    Unavailable,
)
from serving.client.recommender import Recommender, Signature, TensorSpec, VersionStatus
from serving.tensor_codec import Array, TensorError, decode, encode, type_of_number

_ERRORS: dict[grpc.StatusCode, type[ClientError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: ModelNotFound,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


class GrpcRecommender(Recommender):
    """Speaks TF Serving's PredictionService and ModelService."""

    def __init__(
        self, address: str, model: str, version: int | None, timeout_s: float
    ) -> None:
        """Takes the server's `host:port`; connects at the first call."""
        super().__init__(model, version, timeout_s)
        self._address = address
        self._channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.enable_http_proxy", 0),
            ],
        )
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(
            self._channel
        )
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def status(self) -> list[VersionStatus]:
        """Returns the state of the chosen version, or of all, newest first."""
        request = get_model_status_pb2.GetModelStatusRequest()
        answer = self._ask(self._models.GetModelStatus, request, self.timeout_s)
        states = get_model_status_pb2.ModelVersionStatus.State
        return [
            VersionStatus(
                version=entry.version,
                state=states.Name(entry.state),
                error=entry.status.error_message,
            )
            for entry in answer.model_version_status
        ]

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _fetch_signatures(self, timeout_s: float) -> dict[str, Signature]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            metadata_field=["signature_def"]
        )
        answer = self._ask(self._prediction.GetModelMetadata, request, timeout_s)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(definitions)
        try:
            return {
                name: Signature(
                    inputs=_specs(definition.inputs), outputs=_specs(definition.outputs)
                )
                for name, definition in definitions.signature_def.items()
                if not name.startswith("__")
            }
        except TensorError as error:
            raise ServerFault(f"model {self.model!r}: {error}") from error

    def _predict(
        self,
        name: str,
        _signature: Signature,
        inputs: Mapping[str, Array],
        timeout_s: float,
    ) -> dict[str, Array]:
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = name
        for alias, array in inputs.items():
            encode(array, request.inputs[alias])
        answer = self._ask(self._prediction.Predict, request, timeout_s)
        try:
            return {alias: decode(proto) for alias, proto in answer.outputs.items()}
        except TensorError as error:
            raise ServerFault(f"{self._address}: unreadable output: {error}") from error

    def _ask(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            kind = _ERRORS.get(error.code(), ServerFault)
            remedy = "; is the server running?" if kind is Unavailable else ""
            raise kind(f"{self._address}: {error.details()}{remedy}") from error


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {name: _spec(info) for name, info in infos.items()}


def _spec(info: Any) -> TensorSpec:
    shape = info.tensor_shape
    return TensorSpec(
        kind=type_of_number(info.dtype),
        shape=None
        if shape.unknown_rank
        else tuple(None if dim.size < 0 else dim.size for dim in shape.dim),
    )
