"""Asks a server one case and holds its answer against what the case expects."""

import json
import time
from typing import Any

import grpc
import httpx
from google.protobuf import text_format
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

from tests.conformance.server import Address

TIMEOUT_S = 60
POLL_S = 0.1
LONG = "m" * 3000

PREDICTION = prediction_service_pb2_grpc.PredictionServiceStub
MODELS = model_service_pb2_grpc.ModelServiceStub
CALLS = {
    "Predict": (PREDICTION, predict_pb2.PredictRequest),
    "Classify": (PREDICTION, classification_pb2.ClassificationRequest),
    "Regress": (PREDICTION, regression_pb2.RegressionRequest),
    "MultiInference": (PREDICTION, inference_pb2.MultiInferenceRequest),
    "GetModelMetadata": (PREDICTION, get_model_metadata_pb2.GetModelMetadataRequest),
    "GetModelStatus": (MODELS, get_model_status_pb2.GetModelStatusRequest),
    "HandleReloadConfigRequest": (MODELS, model_management_pb2.ReloadConfigRequest),
}


def check_within(address: Address, step: dict[str, Any]) -> None:
    """Asks until the answer is right, or until the step's time is over."""
    deadline = time.monotonic() + step.get("within_s", 0)
    while True:
        try:
            return check(address, step["request"], step["expected"])
        except AssertionError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(POLL_S)


def check(address: Address, request: dict[str, Any], expected: dict[str, Any]) -> None:
    """Asks and judges."""
    if "rpc" in request:
        check_rpc(address, request, expected)
    else:
        check_http(address, request, expected)


def check_http(address: Address, request: dict[str, Any], expected: dict[str, Any]):
    method, path = request["line"].split(" ", 1)
    answer = httpx.request(
        method,
        address.rest + path,
        content=request.get("body", "").encode()
        + bytes.fromhex(request.get("hex", "")),
        headers=request.get("headers", {}),
        timeout=TIMEOUT_S,
    )
    assert answer.status_code == expected["http"], answer.text[:500]
    for name, value in expected.get("headers", {}).items():
        assert answer.headers.get(name) == value, name
    if "error" in expected:
        assert answer.headers["content-type"] == "application/json"
        document = json.loads(answer.content)
        assert list(document) == ["error"]
        assert expected["error"] in document["error"]
    if "json" in expected:
        assert json.loads(answer.content) == expected["json"]
    if "text" in expected:
        assert as_strings(answer.text) == as_strings(expected["text"])
    for path, value in expected.get("paths", {}).items():
        assert at(json.loads(answer.content), path) == value, path
    for part in expected.get("contains", []):
        assert part in answer.text


def as_strings(text: str) -> Any:
    """Returns a JSON document with every number as it is written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document[int(key) if key.isdigit() else key]
    return document


def check_rpc(address: Address, request: dict[str, Any], expected: dict[str, Any]):
    stub, message_type = CALLS[request["rpc"]]
    text = request.get("message", "").replace("LONG", LONG)
    message = text_format.Parse(text, message_type())
    with grpc.insecure_channel(address.grpc) as channel:
        call = getattr(stub(channel), request["rpc"]).future(message, timeout=TIMEOUT_S)
        error = call.exception()
    if error is not None:
        assert error.code().name == expected["code"], error.details()
        assert expected.get("error", "") in error.details()
        if "length" in expected:
            assert len(error.details().encode()) == expected["length"]
        return
    text = text_format.MessageToString(call.result())
    assert expected["code"] == "OK", text
    if "message" in expected:
        wanted = text_format.Parse(expected["message"], type(call.result())())
        assert text == text_format.MessageToString(wanted)
    for part in expected.get("contains", []):
        assert part in text
    for part in expected.get("lacks", []):
        assert part not in text
