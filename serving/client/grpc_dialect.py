"""TF Serving's PredictionService and ModelService, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError

from serving.client.dialect import Dialect, Target
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
from serving.client.spec import Signature, TensorSpec, VersionStatus
from serving.client.steps import Reply, Request
from serving.protocol import messages
from serving.tensor_codec import (
    Array,
    TensorError,
    decode,
    encode_content,
    type_of_number,
)

_OK = 0
_UNAVAILABLE = 14
# https://grpc.io/docs/guides/status-codes/
_ERRORS: dict[int, type[ClientError]] = {
    3: InvalidRequest,  # INVALID_ARGUMENT
    4: DeadlineExceeded,
    5: ModelNotFound,
    7: AccessDenied,  # PERMISSION_DENIED
    8: Overloaded,  # RESOURCE_EXHAUSTED
    9: InvalidRequest,  # FAILED_PRECONDITION
    11: InvalidRequest,  # OUT_OF_RANGE
    _UNAVAILABLE: Unavailable,
    16: AccessDenied,  # UNAUTHENTICATED
}
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_SIGNATURE_DEF = "signature_def"


class GrpcDialect(Dialect):
    """Speaks protobuf; the transport adds HTTP/2."""

    def __init__(self, address: str, target: Target) -> None:
        """Takes `host:port`, for messages, and the model."""
        self._address = address
        self._target = target

    def status_request(self) -> Request:
        """Asks for the state of the chosen version, or of all; labels don't count."""
        request = messages.GetModelStatusRequest()
        self._name(request.model_spec)
        return Request(messages.GET_MODEL_STATUS, request.SerializeToString())

    def read_status(self, reply: Reply) -> list[VersionStatus]:
        """Returns the states, newest version first."""
        answer = self._message(reply, messages.GetModelStatusResponse)
        state = messages.ModelVersionStatus.State
        try:
            return [
                VersionStatus(
                    version=entry.version,
                    state=state.Name(entry.state),
                    error=entry.status.error_message,
                )
                for entry in answer.model_version_status
            ]
        except ValueError as error:
            raise self._unreadable(error) from error

    def metadata_request(self) -> Request:
        """Asks for the model's signatures."""
        request = messages.GetModelMetadataRequest(metadata_field=[_SIGNATURE_DEF])
        self._choose(request.model_spec)
        return Request(messages.GET_MODEL_METADATA, request.SerializeToString())

    def read_signatures(self, reply: Reply) -> dict[str, Signature]:
        """Returns the signatures by name."""
        answer = self._message(reply, messages.GetModelMetadataResponse)
        try:
            held = answer.metadata[_SIGNATURE_DEF].value
            definitions = messages.SignatureDefMap.FromString(held).signature_def
            return {
                name: Signature(
                    inputs=_specs(definition.inputs), outputs=_specs(definition.outputs)
                )
                for name, definition in definitions.items()
                if not name.startswith("__")
            }
        except (DecodeError, TensorError) as error:
            raise self._unreadable(error) from error

    def predict_request(self, name: str, inputs: Mapping[str, Array]) -> Request:
        """Asks a signature."""
        request = messages.PredictRequest()
        self._choose(request.model_spec)
        request.model_spec.signature_name = name
        for alias, array in inputs.items():
            encode_content(array, request.inputs[alias])
        return Request(messages.PREDICT, request.SerializeToString())

    def read_outputs(self, reply: Reply, _signature: Signature) -> dict[str, Array]:
        """Returns the outputs by name; strings are `bytes`."""
        answer = self._message(reply, messages.PredictResponse)
        try:
            return {alias: decode(proto) for alias, proto in answer.outputs.items()}
        except TensorError as error:
            raise self._unreadable(error) from error

    def _choose(self, spec: Any) -> None:
        self._name(spec)
        if self._target.label is not None:
            spec.version_label = self._target.label

    def _name(self, spec: Any) -> None:
        spec.name = self._target.model
        if self._target.version is not None:
            spec.version.value = self._target.version

    def _message(self, reply: Reply, kind: Any) -> Any:
        if reply.code == _OK:
            try:
                return kind.FromString(reply.body)
            except DecodeError as error:
                raise self._unreadable(error) from error
        if reply.code == _UNAVAILABLE and _UNTRUSTED in reply.detail:
            raise AccessDenied(f"{self._address}: {reply.detail}")
        refusal = _ERRORS.get(reply.code, ServerFault)
        remedy = "; is the server running?" if refusal is Unavailable else ""
        raise refusal(f"{self._address}: {reply.detail} (code {reply.code}){remedy}")

    def _unreadable(self, error: Exception) -> WrongAnswer:
        return WrongAnswer(f"{self._address}: the answer cannot be read ({error})")


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
