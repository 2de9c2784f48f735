"""HTTP/2 as no gRPC library would speak it, to the port of the shared server."""

import resource
import struct

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.tensor_codec import encode
from tests.integration.serving.operations.sockets import Raw

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 1, 3, 4, 6, 7, 9
ENHANCE_YOUR_CALM = 11
END_HEADERS = 4


def frame(kind, payload=b"", stream=0, flags=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(
        ">BBI", kind, flags, stream
    ) + payload  # fmt: skip


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


REQUEST = b"".join(
    literal(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/tensorflow.serving.PredictionService/Predict"),
        (b":authority", b"a"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)


def frames(stream):
    """(kind, payload) of each whole frame."""
    found = []
    while len(stream) >= 9:
        size = int.from_bytes(stream[:3], "big")
        found.append((stream[3], stream[9 : 9 + size]))
        stream = stream[9 + size :]
    return found


@pytest.fixture
def port(server):
    return int(server.grpc.rpartition(":")[2])


@pytest.fixture
def predict(server):
    """Answers whether the server still does its work."""
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(server.grpc, options=options) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict


def asking(values):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "hp2"
    encode(np.asarray(values, np.float32), request.inputs["x"])
    return request


def assert_serves(predict):
    assert list(predict(asking([2]), timeout=30).outputs["y"].float_val) == [3.0]


def hello(connection):
    connection.send(PREFACE + frame(SETTINGS))


def test_a_flood_of_pings_is_told_to_calm_down(port, predict):
    with Raw(port) as connection:
        hello(connection)
        connection.send(*[frame(PING, b"12345678")] * 100)
        codes = [
            int.from_bytes(payload[4:8], "big")
            for kind, payload in frames(connection.rest())
            if kind == GOAWAY
        ]
    assert codes[-1:] == [ENHANCE_YOUR_CALM]
    assert_serves(predict)


def test_rapid_resets_leave_others_served(port, predict):
    with Raw(port) as connection:
        hello(connection)
        for stream in range(1, 2 * 5000, 2):
            connection.send(
                frame(HEADERS, REQUEST, stream, END_HEADERS)
                + frame(RST_STREAM, struct.pack(">I", 8), stream)
            )
        assert_serves(predict)


def test_endless_headers_do_not_pile_up(port, predict):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    header = literal(b"x" * 100, b"y" * 100)
    with Raw(port) as connection:
        hello(connection)
        connection.send(frame(HEADERS, REQUEST, 1))
        connection.send(*[frame(CONTINUATION, header * 60, 1)] * 25_000)  # 300 MB
        assert_serves(predict)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert grown < 200 * 1024  # gRPC keeps what it says of them in an error


def test_too_many_calls_at_once_wait_or_are_refused(port, server):
    with Raw(port) as connection:
        hello(connection)
        received = frames(connection.until(frame(SETTINGS, flags=1)))
    settings = next(payload for kind, payload in received if kind == SETTINGS)
    pairs = struct.iter_unpack(">HI", settings)
    assert dict(pairs)[3] == 128  # SETTINGS_MAX_CONCURRENT_STREAMS


def test_a_client_that_waits_its_turn_is_never_refused(predict):
    calls = [predict.future(asking([2]), timeout=60) for _ in range(2000)]
    assert {call.code() for call in calls} == {grpc.StatusCode.OK}


def test_a_long_message_is_refused(predict):
    with pytest.raises(grpc.RpcError) as refused:
        predict(asking(np.zeros(17 << 20)), timeout=60)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert_serves(predict)


def test_a_declared_length_takes_no_memory(port, predict):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Raw(port) as connection:
        hello(connection)
        connection.send(frame(HEADERS, REQUEST, 1, END_HEADERS))
        connection.send(frame(0, b"\x00" + struct.pack(">I", 2**31 - 1) + b"a", 1))
        assert_serves(predict)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024


def test_long_metadata_is_refused(predict):
    with pytest.raises(grpc.RpcError) as refused:
        predict(asking([1]), metadata=(("x", "y" * 20_000),), timeout=30)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert_serves(predict)
