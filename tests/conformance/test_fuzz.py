"""Random requests: an answer or a reason, never a fault of the server."""

import json

import grpc
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.conformance.models import ECHOED
from tests.conformance.server import EMBEDDED

RUNS = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,  # a case that fails in CI fails here
    suppress_health_check=[HealthCheck.too_slow],
)

NUMBERS = (
    st.integers(-(2**70), 2**70)
    | st.integers(-3, 3)
    | st.floats(allow_nan=True, allow_infinity=True)
)
TEXTS = st.text(max_size=6) | st.sampled_from(["b64", "aGVsbG8=", "x", "i", "s", "\0"])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
KEYS = st.sampled_from(["x", "i", "s", "b64", "a", "\ud7ff"]) | TEXTS
VALUES = st.recursive(
    LEAVES | st.builds(lambda text: {"b64": text}, TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from([*ECHOED, "two", "four", "total", "uneven", "nothing", "zzz"])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": NAMES | LEAVES,
        "instances": VALUES | st.lists(VALUES, max_size=3),
        "inputs": VALUES,
        "examples": st.lists(VALUES, max_size=2),
        "context": VALUES,
    },
)
CALLS = st.sampled_from(["echo:predict", "hp2:predict", "hp2:classify", "hp2:regress"])


@st.composite
def texts(draw):
    """Draws a body as text, often damaged by a cut or foreign bytes."""
    text = json.dumps(draw(BODIES), ensure_ascii=draw(st.booleans()))
    data = text.encode(errors="surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, len(data)))
        data = data[:at] + draw(st.binary(max_size=4)) + data[end:]
    return data


@pytest.fixture(scope="module")
def rest(addresses):
    with httpx.Client(base_url=addresses(EMBEDDED).rest, timeout=60) as client:
        yield client


@given(call=CALLS, body=texts())
@RUNS
def test_a_body_gets_an_answer_or_a_reason(rest, call, body):
    answer = rest.post(f"/v1/models/{call}", content=body)
    assert answer.status_code in (200, 400, 501), (body, answer.text)
    document = json.loads(answer.content)
    if answer.status_code != 200:
        assert document["error"]


@given(
    signature=st.sampled_from(ECHOED),
    value=st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=6),
    form=st.sampled_from(["instances", "inputs"]),
)
@RUNS
def test_a_tensor_comes_back_as_it_was_or_is_refused(rest, signature, value, form):
    body = json.dumps({"signature_name": signature, form: value})
    answer = rest.post("/v1/models/echo:predict", content=body.encode())
    assert answer.status_code in (200, 400, 501), (body, answer.text)
    if answer.status_code == 200 and signature in ("int64", "string", "bool"):
        key = {"instances": "predictions", "inputs": "outputs"}[form]
        assert json.loads(answer.content) == {key: value}


SHAPES = st.lists(
    st.integers(-1, 4) | st.sampled_from([2**31, 2**62, -(2**63)]), max_size=4
) | st.lists(st.just(1), min_size=60, max_size=70)
FLOATS = st.lists(st.floats(width=32), max_size=5)
TENSORS = st.builds(
    dict,
    dtype=st.integers(0, 30) | st.sampled_from([1, 3, 7, 9]),
    shape=SHAPES,
    float_val=FLOATS,
    int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
    int64_val=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    string_val=st.lists(st.binary(max_size=4), max_size=3),
    half_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=2),
    bool_val=st.lists(st.booleans(), max_size=2),
    tensor_content=st.binary(max_size=16) | st.just(b""),
)


def tensor(parts) -> tensor_pb2.TensorProto:
    parts = dict(parts)
    message = tensor_pb2.TensorProto(dtype=parts.pop("dtype"))
    for size in parts.pop("shape"):
        message.tensor_shape.dim.add().size = size
    message.MergeFrom(tensor_pb2.TensorProto(**parts))
    return message


@pytest.fixture(scope="module")
def channel(addresses):
    with grpc.insecure_channel(addresses(EMBEDDED).grpc) as opened:
        yield opened


REASONS = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "UNIMPLEMENTED"}


@given(
    model=st.sampled_from(["echo", "echo", "echo", "hp2", "zzz", ""]),
    signature=st.sampled_from([*ECHOED, "two", "zzz", ""]),
    inputs=st.dictionaries(st.sampled_from(["x", "i", "s"]), TENSORS, max_size=2),
    outputs=st.lists(st.sampled_from(["y", "i", "zzz"]), max_size=2),
)
@RUNS
def test_a_message_gets_an_answer_or_a_reason(
    channel, model, signature, inputs, outputs
):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, parts in inputs.items():
        request.inputs[name].CopyFrom(tensor(parts))
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    error = stub.Predict.future(request, timeout=60).exception()
    assert error is None or error.code().name in REASONS, (request, error.details())


@given(data=st.binary(max_size=60))
@RUNS
def test_random_bytes_leave_the_connection_usable(channel, data):
    send = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    error = send.future(data, timeout=60).exception()
    assert error is not None
    assert error.code().name in REASONS, error.details()
