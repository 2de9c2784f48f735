"""The gRPC API through TF Serving's own stubs and TensorFlow's own codec."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server.operations.observer import Observers
from serving.server.rpc.prediction_service import PredictionService


@pytest.fixture(scope="module")
def prediction(server):
    with grpc.insecure_channel(server.grpc) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def model_service(server):
    with grpc.insecure_channel(server.grpc) as channel:
        yield model_service_pb2_grpc.ModelServiceStub(channel)


def predict_request(model="hp2", signature="", version=None, output_filter=(), **feeds):
    request = predict_pb2.PredictRequest(output_filter=output_filter)
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for name, value in feeds.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def floats(*values):
    return np.array(values, np.float32)


def failure(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60)
    return caught.value.code().name, caught.value.details()


def test_predicts(prediction):
    response = prediction.Predict(predict_request(x=floats(1, 2)), timeout=60)
    assert list(response.outputs["y"].float_val) == [2.5, 3.0]
    assert response.outputs["y"].tensor_content == b""
    assert response.model_spec.name == "hp2"
    assert response.model_spec.version.value == 123
    assert response.model_spec.signature_name == "serving_default"


def test_predicts_a_version_and_an_empty_batch(prediction):
    request = predict_request(version=123, x=floats())
    response = prediction.Predict(request, timeout=60)
    assert tf.make_ndarray(response.outputs["y"]).shape == (0,)


WORDS = {"words": [["a", "b", "c"]], "weight": floats(1)}


@pytest.mark.parametrize(
    ("extra", "joined"),
    [({}, b"ab!"), ({"k": 3}, b"abc!"), ({"suffix": ["?"]}, b"ab?")],
)
def test_inputs_with_defaults_may_be_left_out(prediction, extra, joined):
    request = predict_request("words", **WORDS, **extra)
    response = prediction.Predict(request, timeout=60)
    assert list(response.outputs["joined"].string_val) == [joined]


def test_output_filter_picks_outputs(prediction):
    request = predict_request("words", output_filter=["length"], **WORDS)
    response = prediction.Predict(request, timeout=60)
    assert list(response.outputs) == ["length"]


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (predict_request(""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (
            predict_request("no"), "NOT_FOUND",
            "Servable not found for request: Latest(no)",
        ),
        (
            predict_request(version=7), "NOT_FOUND",
            "Servable not found for request: Specific(hp2, 7)",
        ),
        (
            predict_request(signature="zzz", x=floats(1)), "FAILED_PRECONDITION",
            'Serving signature key "zzz" not found.',
        ),
        (
            predict_request(y=floats(1)), "INVALID_ARGUMENT",
            "Sent extra: {y}. Missing but required: {x}.",
        ),
        (
            predict_request("words", words=[["a"]]), "INVALID_ARGUMENT",
            "Sent extra: {}. Missing but required: {weight}.",
        ),
        (
            predict_request(x=["a"]), "INVALID_ARGUMENT",
            'input "x" has dtype object, expected float',
        ),
        (
            predict_request(x=np.array([1.0])), "INVALID_ARGUMENT",
            'input "x" has dtype float64, expected float',
        ),
        (
            predict_request(x=floats([1.0])), "INVALID_ARGUMENT",
            'input "x" has shape [1, 1], expected [?]',
        ),
        (
            predict_request(x=floats(1), output_filter=["zzz"]), "INVALID_ARGUMENT",
            "output tensor alias not found in signature: zzz",
        ),
        (
            predict_request(x=floats(1), output_filter=["y", "y"]), "INVALID_ARGUMENT",
            "duplicate output tensor alias: y",
        ),
    ],
)  # fmt: skip
def test_refuses(prediction, request_, code, message):
    received_code, details = failure(prediction.Predict, request_)
    assert received_code == code
    assert message in details


def test_refuses_a_label(prediction):
    request = predict_request(x=floats(1))
    request.model_spec.version_label = "stable"
    assert failure(prediction.Predict, request) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )


def test_refuses_a_broken_tensor(prediction):
    request = predict_request(x=floats(1, 2))
    request.inputs["x"].tensor_shape.dim[0].size = -2
    code, details = failure(prediction.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert 'input "x": tensor_shape [-2] has a negative dimension' in details


def test_cuts_a_long_error_of_the_graph(prediction):
    request = predict_request(signature="no_nan", x=floats(np.nan))
    code, details = failure(prediction.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert details.endswith("...TRUNCATED")
    assert len(details) == 1024 + len("...TRUNCATED")


class AbortedError(Exception):
    """Raised as grpcio's own context raises on abort."""


class Context:
    """A call whose deadline passed while it waited for a thread."""

    def time_remaining(self):
        return 0.0

    def abort(self, code, details):
        raise AbortedError(code.name, details)


def test_a_call_that_waited_too_long_is_not_run():
    class Untouched:
        def lease(self, *_):
            raise AssertionError("the model was asked")

    service = PredictionService(Untouched(), Observers())
    with pytest.raises(AbortedError, match="DEADLINE_EXCEEDED"):
        service.Predict(predict_request(x=floats(1)), Context())


def test_a_fault_of_the_server_is_told_and_logged(prediction, monkeypatch, caplog):
    def break_down(_tensor):
        raise RuntimeError("a path that nobody outside should read")

    monkeypatch.setattr("serving.server.rpc.prediction_service.decode", break_down)
    request = predict_request(x=floats(1))
    assert failure(prediction.Predict, request) == ("INTERNAL", "RuntimeError")
    assert "a path that nobody outside should read" in caplog.text


def test_other_calls_are_unimplemented(model_service):
    reload_request = model_management_pb2.ReloadConfigRequest()
    code, _ = failure(model_service.HandleReloadConfigRequest, reload_request)
    assert code == "INVALID_ARGUMENT"


def metadata_request(model, *fields):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = model
    return request


def test_metadata(prediction):
    request = metadata_request("words", "signature_def")
    response = prediction.GetModelMetadata(request, timeout=60)
    assert response.model_spec.version.value == 1
    definitions = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(definitions)
    definition = definitions.signature_def["serving_default"]
    assert sorted(definition.inputs) == ["k", "suffix", "weight", "words"]
    assert not definition.defaults


@pytest.mark.parametrize(
    ("model", "fields", "code", "message"),
    [
        ("hp2", [], "INVALID_ARGUMENT", "at least one"),
        ("hp2", ["x"], "INVALID_ARGUMENT", "Metadata field x is not supported"),
        ("no", ["signature_def"], "NOT_FOUND", "Latest(no)"),
    ],
)
def test_metadata_refuses(prediction, model, fields, code, message):
    request = metadata_request(model, *fields)
    received_code, details = failure(prediction.GetModelMetadata, request)
    assert received_code == code
    assert message in details


def status_request(model, version=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    return request


@pytest.mark.parametrize("version", [None, 123])
def test_status(model_service, version):
    response = model_service.GetModelStatus(status_request("hp2", version), timeout=60)
    (status,) = response.model_version_status
    assert (status.version, status.state, status.status.error_code) == (123, 30, 0)


def test_status_does_not_look_at_a_label(model_service):
    request = status_request("hp2")
    request.model_spec.version_label = "anything"
    response = model_service.GetModelStatus(request, timeout=60)
    assert len(response.model_version_status) == 1


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            get_model_status_pb2.GetModelStatusRequest(),
            "INVALID_ARGUMENT",
            "Missing ModelSpec",
        ),
        (
            status_request("no"),
            "NOT_FOUND",
            "Could not find any versions of model no",
        ),
        (
            status_request("hp2", 9),
            "NOT_FOUND",
            "Could not find version 9 of model hp2",
        ),
    ],
)
def test_status_refuses(model_service, request_, code, message):
    assert failure(model_service.GetModelStatus, request_) == (code, message)
