"""Batching as clients see it, over both protocols: answers, errors, limits."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.server.batching.options import BatchingOptions
from serving.server.batching.parameters import BatchingParameters
from serving.server.errors import ServingError
from serving.server.models.servable import Servable
from serving.server.server import running
from tests.integration.serving.models import free

HOUR_MICROS = 3_600_000_000


def serving(models, rest_timeout_s=60, **parameters):
    return running(
        free(
            models,
            batching=BatchingOptions(BatchingParameters(**parameters)),
            rest_timeout_s=rest_timeout_s,
        )
    )


@pytest.fixture(scope="module")
def server(models):
    """Batches of up to 8 rows that leave when full or after a tenth of a second."""
    limits = {"max_batch_size": 8, "batch_timeout_micros": 100_000}
    with serving(models, **limits, pad_variable_length_inputs=True) as addresses:
        yield addresses


def over_grpc(addresses, model, signature, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(addresses.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            answer = stub.Predict(request, timeout=60)
        except grpc.RpcError as error:
            return error.code(), error.details()
    return {n: tf.make_ndarray(t).tolist() for n, t in answer.outputs.items()}


def over_rest(addresses, model, signature, inputs):
    values = {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in inputs.items()
    }
    answer = httpx.post(
        f"{addresses.rest}/v1/models/{model}:predict",
        json={"signature_name": signature, "inputs": values},
        timeout=60,
    )
    if answer.status_code != httpx.codes.OK:
        return answer.status_code, answer.json()["error"]
    return answer.json()["outputs"]


def at_once(ask, addresses, model, signature, requests):
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda x: ask(addresses, model, signature, x), requests))


def floats(*values):
    return np.array(values, np.float32)


def test_each_client_gets_its_own_answer(server):
    rows = [list(range(n, n + 1 + n % 3)) for n in range(24)]
    expected = [[x / 2 + 2 for x in row] for row in rows]
    requests = [{"x": floats(*row)} for row in rows]
    answers = at_once(over_grpc, server, "hp2", "serving_default", requests)
    assert [answer["y"] for answer in answers] == expected
    requests = [{"x": [float(x) for x in row]} for row in rows]
    answers = at_once(over_rest, server, "hp2", "serving_default", requests)
    assert answers == expected


def test_requests_of_different_width_and_k_are_answered_as_alone(server):
    letters = "abcdef"
    requests = [
        {"words": [list(letters[: 1 + n % 6])], "weight": [1.0], "k": 1 + n % 2}
        for n in range(16)
    ]
    expected = [letters[: min(1 + n % 6, 1 + n % 2)] + "!" for n in range(16)]
    over = at_once(over_rest, server, "words", "serving_default", requests)
    assert [answer["joined"] for answer in over] == [[text] for text in expected]


def test_one_bad_request_spoils_no_other(server):
    values = [1.0, float("nan"), 3.0, 4.0, float("inf"), 6.0]
    requests = [{"x": floats(value)} for value in values]
    answers = at_once(over_grpc, server, "hp2", "no_nan", requests)
    for value, answer in zip(values, answers, strict=True):
        if np.isfinite(value):
            assert answer == {"y": [value]}
        else:
            assert answer[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_limits_of_a_batch_are_told(server):
    code, message = over_grpc(server, "hp2", "serving_default", {"x": floats(*[1] * 9)})
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "Task size 9 is larger than maximum batch size 8" in message
    status, message = over_rest(server, "hp2", "serving_default", {"x": [1.0] * 9})
    assert (status, "larger than maximum batch size" in message) == (400, True)


def test_outputs_that_have_no_rows_are_told(server):
    code, message = over_grpc(server, "hp2", "total", {"x": np.ones((2, 2), "f")})
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "0 dimensions" in message
    status, _ = over_rest(server, "hp2", "total", {"x": [[1.0, 2.0]]})
    assert status == 400


def test_scann_is_not_asked_about_no_rows(server):
    query = np.empty((0, 8), np.float32)
    answer = over_grpc(server, "index", "serving_default", {"query": query})
    assert answer == {"item": [], "score": []}


def test_a_full_queue_and_a_late_answer_are_told(models):
    """A batch that waits for its second row all day holds one of two places."""
    limits = {"max_batch_size": 2, "max_enqueued_batches": 1}
    waits = {"batch_timeout_micros": HOUR_MICROS, "rest_timeout_s": 0.5}
    with serving({"hp2": models["hp2"]}, **limits, **waits) as addresses:
        ask = (addresses, "hp2", "serving_default")
        status, message = over_rest(*ask, {"x": [1.0]})
        assert (status, "deadline" in message) == (504, True)
        full = "batch scheduling queue to which this task was submitted is full"
        status, message = over_rest(*ask, {"x": [1.0, 2.0]})
        assert (status, full in message) == (503, True)
        code, message = over_grpc(*ask, {"x": floats(1, 2)})
        assert (code, full in message) == (grpc.StatusCode.UNAVAILABLE, True)
        # The late one is gone: who joins it does not get its row.
        assert over_grpc(*ask, {"x": floats(8)}) == {"y": [6.0]}


def test_a_servable_ends_what_it_took_before_it_closes(models):
    limits = BatchingParameters(batch_timeout_micros=HOUR_MICROS)
    servable = Servable("hp2", 123, models["hp2"] / "00000123", limits)
    answer = servable.submit("serving_default", {"x": floats(4)})
    with pytest.raises(ServingError) as caught:
        servable.run("serving_default", {"x": floats(1)}, deadline=0.0)
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    servable.close()
    assert answer.result(0)["y"] == [4]
    with pytest.raises(ServingError, match="unloaded"):
        servable.run("serving_default", {"x": floats(1)})
