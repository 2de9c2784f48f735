"""What flags of TF Serving change, on one server that has them all."""

import json

import grpc
import httpx
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import (
    classification_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.conformance.server import engines, server


@pytest.fixture(scope="module", params=engines())
def address(request, saved):
    flags = [
        f"--model_config_file={saved}/plain.config",
        "--rest_api_enable_cors_support",
        "--enable_signature_method_name_check=true",
        "--enable_serialization_as_tensor_content=true",
        "--num_request_iterations_for_warmup=2",
    ]
    with server(request.param, flags, saved / f"{request.param}_flags.log") as started:
        yield started


@pytest.fixture(scope="module")
def prediction(address):
    with grpc.insecure_channel(address.grpc) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/models/hp2:predict", b'{"instances": [1]}', 200),
        ("GET", "/v1/models/hp2", b"", 200),
        ("GET", "/v1/models/none", b"", 404),
        ("OPTIONS", "/v1/models/hp2:predict", b"", 200),
    ],
)
def test_cors_headers_stand_on_every_answer(address, method, path, body, status):
    headers = {"Origin": "http://shop.example"}
    answer = httpx.request(method, address.rest + path, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST, GET"
    assert answer.headers["access-control-allow-headers"] == "Content-Type"


def test_tensors_are_packed(prediction):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "hp2"
    request.inputs["x"].dtype = 1
    request.inputs["x"].float_val.append(2)
    output = prediction.Predict(request, timeout=60).outputs["y"]
    assert output.tensor_content == b"\x00\x00\x40\x40"  # 3.0
    assert not output.float_val


def test_packed_tensors_are_numbers_over_rest(address):
    url = f"{address.rest}/v1/models/hp2:predict"
    answer = httpx.post(url, content=b'{"instances": [1, 2]}')
    assert json.loads(answer.content) == {"predictions": [2.5, 3.0]}


def test_a_method_name_is_checked(prediction):
    request = classification_pb2.ClassificationRequest()
    text = 'model_spec { name: "hp2" signature_name: "regress_x_to_y" }'
    text_format.Parse(text, request)
    error = prediction.Classify.future(request, timeout=60).exception()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == (
        "Expected classification signature method_name to be "
        "tensorflow/serving/classify. Was: tensorflow/serving/regress"
    )
