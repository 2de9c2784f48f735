"""A server with TLS, tokens, metrics and request log, as its clients meet it."""

import ssl
import time

import grpc
import httpx
import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.tensor_codec import encode
from tests.integration.serving.operations.conftest import ADMIN_TOKEN, TOKEN
from tests.integration.serving.operations.sockets import Raw

BODY = {"instances": [1.0, 2.0]}
PREDICT = "/v1/models/hp2:predict"
METRICS = "/monitoring/prometheus/metrics"


def bearer(token):
    return {"authorization": f"Bearer {token}"} if token else {}


@pytest.fixture(scope="module")
def client(guarded, authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with httpx.Client(base_url=guarded.rest, verify=context) as made:
        yield made


@pytest.fixture(scope="module")
def channel(guarded, authority):
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    with grpc.secure_channel(guarded.grpc, credentials) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        (PREDICT, TOKEN, 200),
        (PREDICT, ADMIN_TOKEN, 200),
        (PREDICT, None, 401),
        (PREDICT, "c" * 32, 401),
        (METRICS, ADMIN_TOKEN, 200),
        (METRICS, TOKEN, 403),
        (METRICS, None, 401),
        ("/nowhere", None, 401),
    ],
)
def test_rest_asks_for_a_token(client, path, token, status):
    method = "POST" if path == PREDICT else "GET"
    answer = client.request(
        method, path, json=BODY if path == PREDICT else None, headers=bearer(token)
    )
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_need_no_token(client, path):
    assert client.get(path).status_code != 401


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (TOKEN, None),
        (ADMIN_TOKEN, None),
        (None, grpc.StatusCode.UNAUTHENTICATED),
        ("c" * 32, grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_grpc_asks_for_a_token(channel, token, code):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "hp2"
    metadata = tuple(bearer(token).items())
    assert code_of(stub.GetModelStatus, request, metadata) is code


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (ADMIN_TOKEN, grpc.StatusCode.UNIMPLEMENTED),
        (TOKEN, grpc.StatusCode.PERMISSION_DENIED),
        (None, grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_reloading_is_the_administrators(channel, token, code):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = model_management_pb2.ReloadConfigRequest()
    metadata = tuple(bearer(token).items())
    found = code_of(stub.HandleReloadConfigRequest, request, metadata)
    if token == ADMIN_TOKEN:  # let through: what the service says is its own matter
        assert found not in (
            grpc.StatusCode.UNAUTHENTICATED,
            grpc.StatusCode.PERMISSION_DENIED,
        )
    else:
        assert found is code


def test_metrics_count_both_protocols(client, channel):
    before = scraped(client)
    client.post(PREDICT, json=BODY, headers=bearer(TOKEN)).raise_for_status()
    client.post(PREDICT, json={"instances": ["x"]}, headers=bearer(TOKEN))
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    stub.Predict(predict_request(), metadata=tuple(bearer(TOKEN).items()))
    after = scraped(client)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    requests = ":tensorflow:serving:request_count"
    latency = ":tensorflow:serving:request_latency_count"
    runtime = ":tensorflow:serving:runtime_latency_count"
    assert grown[f'{requests}{{model_name="hp2",status="OK"}}'] == 2
    assert grown[f'{requests}{{model_name="hp2",status="INVALID_ARGUMENT"}}'] == 1
    for entrypoint in ("REST", "GRPC"):
        labels = f'model_name="hp2",API="Predict",entrypoint="{entrypoint}"'
        assert grown[f"{latency}{{{labels}}}"] == 1
    assert grown[f'{runtime}{{model_name="hp2",API="Predict",runtime="TF1"}}'] == 2
    states = "tfrs_app:model_version_state"
    assert after[f'{states}{{model_name="hp2",version="123",state="AVAILABLE"}}'] == 1


def test_the_log_is_counted_when_it_is_written(client):
    name = ':tensorflow:serving:request_log_count{model_name="hp2",status_code="OK"}'
    before = scraped(client).get(name, 0)
    client.post(PREDICT, json=BODY, headers=bearer(TOKEN)).raise_for_status()
    deadline = time.monotonic() + 30
    while scraped(client).get(name, 0) == before:
        assert time.monotonic() < deadline


def test_metrics_are_plain_text_as_upstreams(client):
    answer = client.get(METRICS, headers=bearer(ADMIN_TOKEN))
    assert answer.headers["content-type"] == "text/plain"
    assert answer.text.endswith("\n")


def test_tls_below_1_2_is_refused(guarded):
    for address in (guarded.grpc, guarded.rest):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.deprecated_call():
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            Raw(int(address.rpartition(":")[2]), context)


def test_plain_text_on_an_encrypted_port_gets_no_answer(guarded):
    with Raw(int(guarded.rest.rpartition(":")[2])) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in connection.rest()


def predict_request():
    import numpy as np

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "hp2"
    encode(np.array([1], np.float32), request.inputs["x"])
    return request


def code_of(method, request, metadata):
    try:
        method(request, metadata=metadata)
    except grpc.RpcError as error:
        return error.code()
    return None


def scraped(client):
    text = client.get(METRICS, headers=bearer(ADMIN_TOKEN)).text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(v) for name, _, v in (line.rpartition(" ") for line in lines)}
