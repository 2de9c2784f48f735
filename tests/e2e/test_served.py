"""A real server process, asked as strangers would ask it: stock stubs and curl."""

import json
import re
import signal
import subprocess
import sys

import grpc
import numpy as np
import pytest
import tensorflow as tf
from scann.scann_ops.py import scann_ops  # noqa: F401 - registers ScaNN's ops
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.client import connect
from tests.integration.export.conftest import defaults_of
from tests.program import process, refusal, tfrs_app
from tests.toy_shop import parity_of
from tfrs_app.export.requests import query_inputs
from tfrs_app.export.warmup import raw_query
from tfrs_app.training.runs import load_retrieval

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(toy_run):
    """Yields (gRPC address, REST address) of a `tfrs-app serve` process."""
    command = [sys.executable, "-m", "tfrs_app", "serve", *toy_run.options]
    command += ["--port", "auto", "--rest-api-port", "auto"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        try:
            found = re.search(r"gRPC (\S+), REST (\S+)", line)
            assert found, f"the server said {line!r}"
            yield found.groups()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0


@pytest.fixture(scope="module")
def stages(toy_run):
    return toy_run.stages


@pytest.fixture(scope="module")
def requests(stages):
    """The queries of five users, batch 1 each, as a client would send them."""
    return [raw_query(stages.encoded.dataset, user, 50) for user in range(5)]


@pytest.fixture(scope="module")
def loaded(stages):
    return tf.saved_model.load(str(stages.export()))


def ask_curl(rest, path, body):
    answer = subprocess.run(
        ["curl", "-s", "-X", "POST", f"{rest}{path}", "-d", json.dumps(body)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)


def stacked(requests):
    """One batch of several users; histories are padded in front to one length."""
    length = max(r["history_item_id"].shape[1] for r in requests)

    def padded(values):
        empty = b"" if values.dtype.kind == "O" else 0
        width = [(0, 0), (length - values.shape[1], 0)]
        return np.pad(values, width, constant_values=empty)

    return {
        name: np.concatenate(
            [padded(r[name]) if r[name].ndim == 2 else r[name] for r in requests]
        )
        for name in requests[0]
    }


def as_tensors(spec, inputs):
    specs = query_inputs(spec)
    return {
        name: tf.constant(value.tolist(), specs[name].spec.dtype)
        for name, value in inputs.items()
    }


@pytest.mark.parametrize("users", [[0], [0, 1, 2, 3, 4]], ids=["batch 1", "batch 5"])
def test_model_savedmodel_rest_and_grpc_agree(stages, server, requests, loaded, users):
    encoded = stages.encoded
    model = load_retrieval(stages.run_folder, encoded)
    inputs = stacked([requests[user] for user in users])
    expected = embedded_by_the_model(model, encoded, users, inputs["timestamp"])
    tensors = as_tensors(stages.config.spec, inputs)
    saved = loaded.signatures["embed_query"](**tensors)["embedding"].numpy()
    np.testing.assert_allclose(saved, expected, atol=1e-5)
    given = {**defaults_of(stages.export(), "retrieve"), **tensors}
    by_hand = loaded.signatures["retrieve"](**{**given, "k": tf.constant(20)})
    assert recall(by_hand["item_id"].numpy(), model, encoded, expected) > 0.9
    for address in server:
        with connect(address, model="smoke") as client:
            served = client.predict("embed_query", inputs)["embedding"]
            np.testing.assert_allclose(served, expected, atol=1e-5)
            listed = client.predict("retrieve", {**inputs, "k": np.int32(20)})
        items = [[item.encode() for item in row] for row in listed["item_id"]]
        np.testing.assert_array_equal(items, by_hand["item_id"].numpy())
        np.testing.assert_allclose(listed["score"], by_hand["score"], atol=1e-5)


def test_rest_and_grpc_recommend_as_the_savedmodel_does(
    stages, server, requests, loaded
):
    inputs = stacked([requests[user] for user in range(3)])
    tensors = as_tensors(stages.config.spec, inputs)
    given = {**defaults_of(stages.export(), "recommend"), **tensors}
    by_hand = loaded.signatures["recommend"](**given)
    for address in server:
        with connect(address, model="smoke") as client:
            served = client.predict("recommend", inputs)
        assert served.keys() == by_hand.keys()
        for name, expected in by_hand.items():
            if expected.dtype == tf.string:
                told = [[text.encode() for text in row] for row in served[name]]
                np.testing.assert_array_equal(told, expected.numpy())
            else:
                np.testing.assert_allclose(served[name], expected, atol=1e-5)


def recall(listed, model, encoded, queries):
    """The share of the truly best items among the listed ones."""
    after_all_events = int(encoded.dataset.events.timestamp.max()) + 1
    scores = queries @ model.embed_catalogue(after_all_events).T
    best = np.argsort(-scores, axis=1)[:, : listed.shape[1]]
    ids = encoded.dataset.catalogue["item_id"]
    found = [
        np.isin(ids[b], items).mean() for b, items in zip(best, listed, strict=True)
    ]
    return np.mean(found)


def embedded_by_the_model(model, encoded, users, moments):
    """Embeds through the training reader: no raw input, no exported module."""
    ends = encoded.dataset.events.row_splits[1:][users]
    reader = encoded.reader(model.config.history_length)
    queries = reader(
        tf.constant(users, tf.int64),
        tf.constant(ends),
        tf.constant(moments.astype(np.int64)),
        tf.constant(ends - 1),
    )
    return model.query_tower(queries).numpy()


def test_stock_stubs_work(server):
    channel = grpc.insecure_channel(server[0])
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "smoke"
    request.inputs["history_item_id"].CopyFrom(tf.make_tensor_proto([["i2", "i4"]]))
    request.inputs["k"].CopyFrom(tf.make_tensor_proto(5, tf.int32))
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    answer = stub.Predict(request, timeout=60)
    items = [item.decode() for item in answer.outputs["item_id"].string_val]
    assert answer.model_spec.signature_name == "serving_default"
    assert [parity_of(item) for item in items] == ["even"] * 5
    status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(
        get_model_status_pb2.GetModelStatusRequest(
            model_spec=request.model_spec.__class__(name="smoke")
        ),
        timeout=60,
    )
    assert status.model_version_status[0].state == 30  # AVAILABLE


def test_curl_works_in_row_and_column_format(server):
    path = "/v1/models/smoke:predict"
    history = [["i1", "i3"]]
    columns = {"inputs": {"history_item_id": history, "k": 3}}
    rows = {"instances": [{"history_item_id": history[0], "k": 3}]}
    by_column = ask_curl(server[1], path, columns)["outputs"]
    by_row = ask_curl(server[1], path, rows)["predictions"]
    assert by_row[0]["item_id"] == by_column["item_id"][0]
    assert [parity_of(item) for item in by_row[0]["item_id"]] == ["odd"] * 3


def test_somebody_new_gets_a_full_list(server):
    for address in server:
        with connect(address, model="smoke") as client:
            answer = client.predict("retrieve", {"k": np.int32(7)})
        assert len(set(answer["item_id"][0])) == 7
        assert "" not in answer["item_id"][0]


@pytest.mark.parametrize("parity", ["even", "odd"])
def test_lists_follow_taste_and_obey_exclude(server, parity):
    first = 0 if parity == "even" else 1
    history = [f"i{n}" for n in range(first, 40, 2)]
    inputs = {"history_item_id": [history], "exclude": [history], "k": np.int32(20)}
    for address in server:
        with connect(address, model="smoke") as client:
            items = client.predict("retrieve", inputs)["item_id"][0]
        assert {parity_of(item) for item in items} == {parity}
        assert not set(items) & set(history)


def test_similar_items_share_the_parity(server):
    with connect(server[0], model="smoke") as client:
        answer = client.predict("similar_items", {"item_id": ["i2", "i3", "nothing"]})
    even, odd, unknown = answer["item_id"]
    assert {parity_of(item) for item in even} == {"even"}
    assert {parity_of(item) for item in odd} == {"odd"}
    assert "i2" not in even
    assert set(unknown) == {""}


def test_wrong_history_lengths_are_the_callers_mistake(server):
    body = {"inputs": {"history_item_id": [["i1"]], "history_timestamp": [[1, 2]]}}
    answer = ask_curl(server[1], "/v1/models/smoke:predict", body)
    assert "same length as history_item_id" in answer["error"]


def test_explain_prints_what_becomes_of_items(toy_run, server):
    asked = ["i1", "i0", "unheard_of", "--history", "i0,i2,i4", "-k", "3"]
    told = []
    for address in server:
        done = tfrs_app("explain", *asked, *toy_run.options, "--server", address)
        assert done.returncode == 0, done.stderr
        words = " ".join(re.sub("[│ ]+", " ", done.stdout).split())
        assert "unheard" in words
        assert "even thing" in words
        told.append([line for line in done.stdout.splitlines() if "i1" in line])
    assert told[0] == told[1]


def test_without_texts_there_is_nothing_to_search(toy_run, server):
    told = refusal("search", "red", *toy_run.options, "--server", server[0])
    assert "text: this section is absent" in told


def test_recommend_prints_a_table_with_texts(toy_run, server):
    for address, run in zip(server, (process, tfrs_app), strict=True):
        asked = ["--server", address, "--history", "i2,i4", "-k", "3"]
        answer = run("recommend", *toy_run.options, *asked)
        assert len(re.findall(r"even thing \d+ .* -?\d+\.\d{4}", answer.stdout)) == 3


def test_filters_reach_the_model_over_both_protocols(toy_run, server):
    catalogue = toy_run.stages.encoded.dataset.catalogue
    colour = dict(zip(catalogue["item_id"], catalogue["colour"], strict=True))
    for address, run in zip(server, (process, tfrs_app), strict=True):
        asked = ["--server", address, "--history", "i2,i4", "-k", "5", "--filter"]
        answer = run("recommend", *toy_run.options, *asked, "allow_colour=white")
        listed = re.findall(r"\b(i\d+)\b.*-?\d+\.\d{4}", answer.stdout)
        assert [colour[item.encode()] for item in listed] == [b"white"] * 5
        answer = run("recommend", *toy_run.options, *asked, "max_price=0.5")
        assert not re.findall(r"-?\d+\.\d{4}", answer.stdout)
