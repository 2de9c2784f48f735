"""TF Serving's PredictionService over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.server.errors import ServingError, invalid
from serving.server.examples.calls import asked_signature, classify, infer, regress
from serving.server.messages import signature_def_map
from serving.server.models.registry import ModelRegistry
from serving.server.operations.observer import Call, Observers
from serving.server.protocol import UPSTREAM, ProtocolOptions
from serving.server.rpc.answering import answered
from serving.server.rpc.model_spec import check_model_spec, leased
from serving.tensor_codec import Array, TensorError, decode, encode, encode_content

_SIGNATURE_DEF = "signature_def"


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

    @answered
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

    @answered
    def Classify(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns classes and scores of each example."""
        response = classification_pb2.ClassificationResponse()
        return self._on_examples(classify, request, response, call)

    @answered
    def Regress(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns a number for each example."""
        response = regression_pb2.RegressionResponse()
        return self._on_examples(regress, request, response, call)

    @answered
    def MultiInference(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns what several signatures make of the same examples."""
        first = request.tasks[0] if request.tasks else inference_pb2.InferenceTask()
        first.model_spec.SetInParent()
        response = inference_pb2.MultiInferenceResponse()
        with leased(self._registry, first, call) as servable, call.timed_run():
            infer(servable, request, response, self._protocol.check_method_name)
        return response

    def _on_examples(
        self, run: Callable[..., None], request: Any, response: Any, call: Call
    ) -> Any:
        with leased(self._registry, request, call) as servable:
            call.signature = asked_signature(request.model_spec)
            with call.timed_run():
                run(
                    servable,
                    request,
                    response,
                    self._protocol.check_method_name,
                    call.deadline,
                )
        return response

    @answered
    def GetModelMetadata(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns the SignatureDefs of a model."""
        check_model_spec(request)
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
