"""What a client knows of a model, and what it makes of an answer that can't be."""

import json

import numpy as np
import pytest

from serving.client import InvalidRequest, ServerFault, WrongAnswer
from serving.client.steps import Reply
from serving.protocol import messages
from serving.tensor_codec import encode
from tests.unit.serving.client_server import LIST, QUERY, Grpc, Rest, client


@pytest.fixture(params=[Rest, Grpc], ids=["rest", "grpc"])
def protocol(request):
    return request.param


def test_the_spec_is_read_once(protocol):
    answer = protocol.outputs(y=[1.0])
    asking, script, _ = client(protocol, [protocol.metadata(), answer, answer])
    for _ in range(2):
        asking.predict("half", {"x": [1.0]})
    assert len(script.sent) == 3
    assert asking.signatures()["half"].inputs["x"].shape == (None,)


@pytest.mark.parametrize(
    ("signature", "inputs", "match"),
    [
        ("zzz", {}, "no signature 'zzz'; it has half, serving_default"),
        ("half", {"z": [1.0]}, "no input 'z'; it has x"),
        ("half", {"x": [[1.0]]}, r"'x' has shape \[1, 1\], expected \[\?\]"),
        ("half", {"x": ["a"]}, "'x' has .*, expected float"),
    ],
)
def test_what_does_not_fit_is_not_sent(protocol, signature, inputs, match):
    asking, script, _ = client(protocol, [protocol.metadata()])
    with pytest.raises(InvalidRequest, match=match):
        asking.predict(signature, inputs)
    assert len(script.sent) == 1


def test_a_version_published_since_may_take_what_the_last_did_not(protocol):
    newer = {"half": ({"z": ("f", [-1])}, {"y": ("f", [-1])})}
    answer = protocol.outputs(y=[1.0])
    replies = [protocol.metadata(), answer, protocol.metadata(newer), answer]
    asking, script, _ = client(protocol, replies)
    asking.predict("half", {"x": [1.0]})
    asking.predict("half", {"z": [1.0]})
    assert script.replies == []


def test_after_a_refusal_the_spec_is_read_again(protocol):
    replies = [
        protocol.metadata(), protocol.invalid,
        protocol.metadata(), protocol.outputs(y=[1.0]),
    ]  # fmt: skip
    asking, script, _ = client(protocol, replies)
    with pytest.raises(InvalidRequest, match="bad input"):
        asking.predict("half", {"x": [1.0]})
    asking.predict("half", {"x": [1.0]})
    assert script.replies == []


@pytest.mark.parametrize(
    "outputs",
    [
        {"y": [[1.0]]},  # of another rank
        {"item_id": [["a"]], "score": [[1.0]]},  # of another signature
    ],
)
def test_outputs_must_be_those_that_were_declared(protocol, outputs):
    replies = [protocol.metadata(), protocol.outputs(**outputs)]
    asking, _, _ = client(protocol, replies)
    with pytest.raises(WrongAnswer):
        asking.predict("half", {"x": [1.0]})
    assert asking.counts()["rejected"] == 1


def test_outputs_must_be_of_their_type():
    answer = messages.PredictResponse()
    encode(np.array([1, 2], np.int32), answer.outputs["y"])
    replies = [Grpc.metadata(), Reply(0, answer.SerializeToString())]
    asking, _, _ = client(Grpc, replies)
    with pytest.raises(WrongAnswer, match="'y' has int32, declared is float"):
        asking.predict("half", {"x": [1.0]})


def test_fixed_sizes_count(protocol):
    wide = {"half": ({"x": ("f", [-1])}, {"y": ("f", [-1, 3])})}
    replies = [protocol.metadata(wide), protocol.outputs(y=[[1.0, 2.0]])]
    asking, _, _ = client(protocol, replies)
    with pytest.raises(WrongAnswer, match=r"has shape \[1, 2\], declared is \[\?, 3\]"):
        asking.predict("half", {"x": [1.0]})


@pytest.mark.parametrize(
    "document",
    [
        {"outputs": {"item_id": [["a"], ["b", "c"]], "score": [[1.0]]}},
        {"outputs": {"item_id": [["a"]]}},
        {"outputs": {"item_id": [[7]], "score": [[1.0]]}},
        {"outputs": {"item_id": [[{"b64": "?"}]], "score": [[1.0]]}},
        {"outputs": {"item_id": [["a"]], "score": [["high"]]}},
        {"outputs": None},
        {"outputs": []},
    ],
)
def test_json_that_fits_no_tensor_is_a_wrong_answer(document):
    replies = [Rest.metadata(), Reply(200, json.dumps(document).encode())]
    asking, _, _ = client(Rest, replies)
    with pytest.raises(WrongAnswer):
        asking.predict("serving_default", {"history_item_id": [["a"]]})


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"metadata": {}}', b'{"metadata": {"x": 1}}']
)
def test_metadata_that_is_none_is_the_servers_fault(body):
    asking, _, _ = client(Rest, [Reply(200, body)])
    with pytest.raises(ServerFault):
        asking.signatures()


@pytest.mark.parametrize(
    "entry", [{}, {"version": "x", "state": "END", "status": {}}, 7]
)
def test_a_status_that_is_none_is_the_servers_fault(entry):
    body = json.dumps({"model_version_status": [entry]}).encode()
    asking, _, _ = client(Rest, [Reply(200, body)])
    with pytest.raises(ServerFault):
        asking.status()


@pytest.mark.parametrize("status", [502, 503])
def test_a_proxys_page_is_as_good_as_json(status):
    page = Reply(status, b"<html>no upstream</html>")
    asking, _, clock = client(Rest, [page, Rest.metadata()])
    assert set(asking.signatures()) == {"half", "serving_default"}
    assert clock.slept == [0.05]


def test_types_that_no_numpy_has_are_the_servers_fault(protocol):
    strange = {"half": ({"x": ("v", [-1])}, LIST), "serving_default": (QUERY, LIST)}
    from tests.unit.serving import client_server

    client_server.TYPES["v"] = ("DT_VARIANT", 21)
    try:
        asking, _, _ = client(protocol, [protocol.metadata(strange)])
        with pytest.raises(ServerFault, match="is not supported"):
            asking.signatures()
    finally:
        del client_server.TYPES["v"]
