"""Faults of requests, beside those of `cases/`: sizes, bytes, connections.

Every line of the table "requests" in docs/faults.md is a test here or a case there.
"""

import json
import socket
from pathlib import Path

import grpc
import httpx
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.conformance.server import EMBEDDED

ECHO = "/v1/models/echo:predict"
DEPTH = 500_000
MIB = 1 << 20


@pytest.fixture(scope="module")
def address(addresses):
    return addresses(EMBEDDED)


def post(address, body, path=ECHO, **headers):
    return httpx.post(address.rest + path, content=body, headers=headers, timeout=60)


def assert_serves(address):
    answer = post(address, b'{"instances": [1]}', "/v1/models/hp2:predict")
    assert answer.json() == {"predictions": [2.5]}


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("key", ["instances", "unused"])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_brackets_without_end_are_refused(address, key, left, right, closed):
    nest = left * DEPTH + "1" + right * DEPTH * closed
    body = f'{{"signature_name": "int32", "{key}": {nest}, "inputs": [1]}}'
    answer = post(address, body.encode())
    assert answer.status_code == 400
    assert "JSON Parse error" in answer.json()["error"]
    assert_serves(address)


@pytest.mark.parametrize("rank", [65, 300, 900])
def test_a_rank_beyond_numpy_is_refused(address, rank):
    body = f'{{"signature_name": "int32", "inputs": {"[" * rank}1{"]" * rank}}}'
    answer = post(address, body.encode())
    assert answer.status_code == 400
    assert "at most 64" in answer.json()["error"]


@pytest.mark.parametrize("size", [MIB, 10 * MIB])
def test_a_long_id_is_answered(address, size):
    body = {"signature_name": "string", "instances": ["i" * size]}
    answer = post(address, json.dumps(body).encode())
    assert answer.json() == {"predictions": ["i" * size]}


def test_output_that_is_no_utf8_gets_replacement_characters(address):
    body = b'{"signature_name": "both_texts", "inputs": {"b64": "Yf9i"}}'
    answer = post(address, body)
    assert answer.status_code == 200
    assert answer.json()["outputs"] == {
        "text": "a\ufffdb",
        "text_bytes": {"b64": "Yf9i"},
    }


def test_names_that_are_no_utf8_are_refused(address):
    for body in (
        b'{"signature_name": "\xff", "inputs": [1]}',
        b'{"signature_name": "two", "instances": [{"\xff": 1}]}',
        b'{"signature_name": "two", "inputs": {"\xff": 1}}',
    ):
        assert post(address, body).status_code == 400
    body = b'{"signature_name": "regress_x_to_y", "examples": [{"\xff": 1}]}'
    assert post(address, body, "/v1/models/hp2:regress").status_code == 400


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ('{"dense": [[1,2,3,4,5,6,7,8,9,10,11,12]]}', "has shape [1, 12], expected"),
        ('{"dense": [[[1,2,3,4,5,6,7,8,9,10,11,12,13]]]}', "has shape [1, 1, 13]"),
        ('{"dense": [1,2,3,4,5,6,7,8,9,10,11,12,13]}', "has shape [13], expected"),
    ],
)
def test_a_wrong_shape_is_named(address, inputs, text):
    body = f'{{"signature_name": "dense", "inputs": {inputs}}}'
    answer = post(address, body.encode())
    assert answer.status_code == 400
    assert 'input "dense"' in answer.json()["error"]
    assert text in answer.json()["error"]
    assert "[?, 13]" in answer.json()["error"]


def test_inputs_with_different_rows_are_refused(address):
    body = (
        b'{"signature_name": "joined", "inputs": {"a": [[1,2],[3,4]], "b": [[1,2,3]]}}'
    )
    assert post(address, body).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2fhp2",
        "hp2%00",
        "%00",
        "m" * 10_000,
        "%E6%97%A5",
        "%ff%fe",
        "%zz",
        "hp2%2Fversions%2F123",
    ],
    ids=[
        "traversal", "sibling", "nul-behind", "nul", "long", "unicode", "no-utf8",
        "no-hex", "slash",
    ],
)  # fmt: skip
def test_odd_names_are_unknown_models(address, name):
    for path in (f"/v1/models/{name}", f"/v1/models/{name}/metadata"):
        answer = httpx.get(address.rest + path)
        assert answer.status_code == 404
        assert list(answer.json()) == ["error"]
    answer = post(address, b'{"instances": [1]}', f"/v1/models/{name}:predict")
    assert answer.status_code == 404


def raw(address, data: bytes, wait_s=10) -> bytes:
    """Returns all that a server sends until it closes the connection."""
    host, port = address.rest.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=wait_s) as connection:
        connection.sendall(data)
        while chunk := connection.recv(1 << 16):
            received += chunk
    return received


LINE = b"POST /v1/models/hp2:predict HTTP/1.1\r\nHost: a\r\n"
BODY = b'{"instances": [1]}'


@pytest.mark.parametrize(
    "request_",
    [
        LINE + b"Content-Length: 18\r\nContent-Length: 5\r\n\r\n" + BODY,
        LINE + b"Content-Length: 18\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + b"X: a\r\n b\r\nContent-Length: 18\r\n\r\n" + BODY,
        LINE.replace(b"\r\n", b"\n") + b"Content-Length: 18\n\n" + BODY,
        LINE + b"Content-Length: -1\r\n\r\n",
        LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=[
        "two-lengths", "length-and-chunks", "folded-header", "bare-lf",
        "negative-length", "chunk-size", "no-http", "tls",
    ],
)  # fmt: skip
def test_a_smuggled_request_is_refused_and_the_connection_closed(address, request_):
    answer = raw(address, request_)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1
    assert_serves(address)


def test_a_declared_length_allocates_nothing(address):
    before = resident(address.pid)
    host, port = address.rest.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(LINE + b"Content-Length: 10737418240\r\n\r\n" + b" " * MIB)
        assert_serves(address)
        assert resident(address.pid) - before < 64 * MIB


def resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS")


def test_bytes_that_are_no_message_leave_the_connection_usable(address):
    method = "/tensorflow.serving.PredictionService/Predict"
    good = predict_pb2.PredictRequest()
    good.model_spec.name = "hp2"
    good.inputs["x"].dtype = 1
    good.inputs["x"].float_val.append(2)
    with grpc.insecure_channel(address.grpc) as channel:
        send = channel.unary_unary(method)
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for data in (b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x7f", bytes(range(256))):
            error = send.future(data, timeout=60).exception()
            assert error.code().name in ("INTERNAL", "INVALID_ARGUMENT")
            answer = stub.Predict(good, timeout=60)
            assert list(answer.outputs["y"].float_val) == [3.0]


def test_a_message_over_the_limit_is_refused(address):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "hp2"
    request.inputs["x"].tensor_content = bytes(65 * MIB)
    with grpc.insecure_channel(
        address.grpc, options=[("grpc.max_send_message_length", -1)]
    ) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        error = stub.Predict.future(request, timeout=60).exception()
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert_serves(address)
