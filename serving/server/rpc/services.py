"""TF Serving's PredictionService and ModelService over gRPC."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.server.configs.model_server import model_configs
from serving.server.errors import ServingError, cut, invalid
from serving.server.examples.calls import asked_signature, classify, infer, regress
from serving.server.models.model_config import ModelConfig
from serving.server.models.registry import ModelRegistry, VersionStatus
from serving.server.models.servable import Servable
from serving.server.operations.observer import Call, Entrypoint, Observers
from serving.server.protocol import UPSTREAM, ProtocolOptions
from serving.tensor_codec import Array, TensorError, decode, encode, encode_content
from tfrs_app.contract.errors import UserError

_LOG = logging.getLogger(__name__)

_FOREVER_S = 1e8
_SIGNATURE_DEF = "signature_def"

Method = Callable[[Any, Any, Call], Any]


def _answered(method: Method) -> Callable[[Any, Any, Any], Any]:
    """Turns errors into gRPC statuses and drops calls whose deadline has passed.

    The method gets a `Call` to fill in instead of gRPC's context.
    """

    @functools.wraps(method)
    def answer(service: Any, request: Any, context: Any) -> Any:
        try:
            with service.observers.call(method.__name__, Entrypoint.GRPC) as call:
                call.header = functools.partial(_metadata, context)
                call.deadline = _deadline(context)
                _check_deadline(call)
                response = method(service, request, call)
                _check_deadline(call)
        except ServingError as error:
            context.abort(error.code, cut(error.message))
        except Exception as error:  # one call's fault must not be silent, nor spread
            _LOG.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, cut(type(error).__name__))
        return response

    return answer


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers Predict, GetModelMetadata, Classify, Regress and MultiInference."""

    def __init__(
        self,
        registry: ModelRegistry,
        observers: Observers,
        protocol: ProtocolOptions = UPSTREAM,
    ) -> None:
        """Takes the models to answer for, who is told of each call, and choices."""
        self._registry = registry
        self.observers = observers
        self._protocol = protocol

    @_answered
    def Predict(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Runs one signature on the request's tensors."""
        with leased(self._registry, request, call) as servable:
            call.signature = asked_signature(request.model_spec)
            signature = servable.signatures.get(call.signature)
            if signature is not None:  # else the run says so
                signature.check_method(self._protocol.check_method_name)
                signature.check_names(frozenset(request.inputs))
                signature.check_outputs(request.output_filter)
            call.inputs = _inputs(request)
            with call.timed_run():
                call.outputs = servable.run(call.signature, call.inputs, call.deadline)
        response = predict_pb2.PredictResponse()
        _fill_model_spec(response.model_spec, call)
        write = encode_content if self._protocol.tensor_content else encode
        for name in request.output_filter or call.outputs:
            _write(write, name, call.outputs[name], response)
        return response

    @_answered
    def Classify(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns classes and scores of each example."""
        response = classification_pb2.ClassificationResponse()
        return self._on_examples(classify, request, response, call)

    @_answered
    def Regress(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns a number for each example."""
        response = regression_pb2.RegressionResponse()
        return self._on_examples(regress, request, response, call)

    @_answered
    def MultiInference(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns what several signatures make of the same examples."""
        first = request.tasks[0] if request.tasks else inference_pb2.InferenceTask()
        first.model_spec.SetInParent()
        response = inference_pb2.MultiInferenceResponse()
        with leased(self._registry, first, call) as servable:
            infer(servable, request, response, self._protocol.check_method_name)
        return response

    def _on_examples(
        self, run: Callable[..., None], request: Any, response: Any, call: Call
    ) -> Any:
        with leased(self._registry, request, call) as servable:
            call.signature = asked_signature(request.model_spec)
            run(servable, request, response, self._protocol.check_method_name)
        return response

    @_answered
    def GetModelMetadata(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns the SignatureDefs of a model."""
        _check_model_spec(request)
        if not request.metadata_field:
            raise invalid(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise invalid(f"Metadata field {field} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        with leased(self._registry, request, call) as servable:
            response.metadata[_SIGNATURE_DEF].Pack(signature_def_map(servable))
        _fill_model_spec(response.model_spec, call)
        return response


Reload = Callable[[Mapping[str, ModelConfig]], None]


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Answers GetModelStatus and HandleReloadConfigRequest."""

    def __init__(
        self, registry: ModelRegistry, observers: Observers, reload: Reload | None
    ) -> None:
        """Takes the models, who is told of each call, and what replaces the models.

        A `reload` of None refuses it: whoever may reload chooses the code that runs.
        """
        self._registry = registry
        self._reload = reload
        self.observers = observers

    @_answered
    def GetModelStatus(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns the states of a model's versions; a label is not looked at."""
        _check_model_spec(request)
        spec = request.model_spec
        call.model = spec.name
        statuses = self._registry.status(spec.name, _version(spec))
        return status_response(statuses)

    @_answered
    def HandleReloadConfigRequest(self, request: Any, _call: Call) -> Any:  # noqa: N802
        """Serves other models; returns when the new ones are available."""
        if self._reload is None:
            raise ServingError(
                grpc.StatusCode.PERMISSION_DENIED,
                "this server takes no models over gRPC: change its "
                "--model_config_file, or start it with one worker and "
                "--enable_reload_rpc",
            )
        try:
            models = model_configs(request.config)
        except UserError as error:
            raise invalid(str(error)) from error
        self._reload(models)
        return model_management_pb2.ReloadConfigResponse()


@contextmanager
def leased(registry: ModelRegistry, request: Any, call: Call) -> Iterator[Servable]:
    """Yields the version that a request's model_spec asks for, noted on the call.

    Raises:
        ServingError: INVALID_ARGUMENT without a name, NOT_FOUND.
    """
    spec = _model_spec(request)
    call.model = spec.name
    label = spec.version_label if _choice(spec) == "version_label" else None
    with registry.lease(spec.name, _version(spec), label) as servable:
        call.version = servable.version
        yield servable


def signature_def_map(servable: Servable) -> Any:
    """Returns the SignatureDefMap message of a version."""
    message = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.signature_defs.items():
        message.signature_def[name].CopyFrom(definition)
    return message


def status_response(statuses: Iterable[VersionStatus]) -> Any:
    """Returns the GetModelStatusResponse message of some versions."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in statuses:
        message = response.model_version_status.add()
        message.version = status.version
        message.state = int(status.state)
        message.status.error_code = status.code.value[0]
        message.status.error_message = status.message
    return response


def _check_model_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")


def _model_spec(request: Any) -> Any:
    _check_model_spec(request)
    if not request.model_spec.name:
        raise invalid("ModelSpec has no name specified.")
    return request.model_spec


def _choice(spec: Any) -> str | None:
    choice: str | None = spec.WhichOneof("version_choice")
    return choice


def _version(spec: Any) -> int | None:
    return spec.version.value if _choice(spec) == "version" else None


def _inputs(request: Any) -> dict[str, Array]:
    inputs = {}
    for name, tensor in request.inputs.items():
        try:
            inputs[name] = decode(tensor)
        except TensorError as error:
            raise invalid(f'input "{name}": {error}') from error
    return inputs


def _write(
    write: Callable[[Array, Any], None], name: str, array: Array, response: Any
) -> None:
    try:
        write(array, response.outputs[name])
    except TensorError as error:
        raise ServingError(
            grpc.StatusCode.UNIMPLEMENTED, f'output "{name}": {error}'
        ) from error


def _fill_model_spec(spec: Any, call: Call) -> None:
    spec.name = call.model
    spec.version.value = call.version
    spec.signature_name = call.signature


def _metadata(context: Any, name: str) -> str | None:
    for key, value in context.invocation_metadata():
        if key == name:
            return str(value)
    return None


def _deadline(context: Any) -> float | None:
    remaining_s: float | None = context.time_remaining()
    if remaining_s is None or remaining_s > _FOREVER_S:
        return None  # gRPC's core tells calls without a deadline both ways
    return time.monotonic() + remaining_s


def _check_deadline(call: Call) -> None:
    if call.deadline is not None and time.monotonic() >= call.deadline:
        raise ServingError(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            "the call's deadline passed before its answer was ready",
        )
