"""One suite for all clients; parity of TensorFlow, REST and gRPC."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
import tensorflow as tf

from serving.client import (
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    ServerFault,
    Unavailable,
    VersionStatus,
)
from tests.integration.serving.clients import KINDS, client_of, open_client
from tests.integration.serving.models import item_embeddings

VERSIONS = {"hp2": "00000123", "words": "1", "index": "7"}


@pytest.fixture(params=KINDS)
def ask(request, server):
    """Opens clients of one kind to the running server."""
    with ExitStack() as opened:

        def client(model, **options):
            return opened.enter_context(
                client_of(request.param, server, model=model, **options)
            )

        yield client


def test_predicts(ask):
    outputs = ask("hp2").predict("serving_default", {"x": [1, 2, 5]})
    assert outputs["y"].dtype == np.float32
    assert outputs["y"].tolist() == [2.5, 3.0, 4.5]


def test_strings_and_defaults(ask):
    inputs = {"words": [["ü", "b", "c"]], "weight": [0.5]}
    outputs = ask("words").predict("serving_default", inputs)
    assert outputs["joined"].tolist() == ["üb!"]
    assert outputs["joined_bytes"].tolist() == ["üb!".encode()]
    assert outputs["length"].dtype == np.int32
    assert outputs["weight"].tolist() == [0.5]


def test_nan_and_infinity_pass(ask):
    inputs = {"x": [np.nan, np.inf, -np.inf, 0.1]}
    outputs = ask("hp2").predict("serving_default", inputs)
    expected = np.array([np.nan, np.inf, -np.inf, 2.05], np.float32)
    np.testing.assert_array_equal(outputs["y"], expected)


@pytest.mark.parametrize(
    ("model", "batch", "inputs"),
    [
        *[("hp2", n, {"x": np.linspace(-3, 9, n, dtype="f")}) for n in (0, 1, 33)],
        *[("index", n, {"query": item_embeddings()[:n]}) for n in (1, 33)],
        *[
            ("words", n, {"words": [["a", "b"]] * n, "weight": [0.1] * n})
            for n in (1, 33)
        ],
    ],
)
def test_answers_as_tensorflow_does(ask, models, model, batch, inputs):
    loaded = tf.saved_model.load(str(models[model] / VERSIONS[model]))
    signature = loaded.signatures["serving_default"]
    types = signature.structured_input_signature[1]
    # TensorFlow itself does not fill in a signature's defaults.
    feeds = {**inputs, **({"k": 2, "suffix": ["!"]} if model == "words" else {})}
    expected = signature(
        **{name: tf.constant(v, types[name].dtype) for name, v in feeds.items()}
    )
    outputs = ask(model).predict("serving_default", inputs)
    assert sorted(outputs) == sorted(expected)
    for name, tensor in expected.items():
        value = tensor.numpy()
        assert outputs[name].shape == value.shape
        if value.dtype == object:
            texts = [v if isinstance(v, bytes) else v.encode() for v in outputs[name]]
            assert texts == value.tolist()
        else:
            np.testing.assert_array_equal(outputs[name], value)


def test_scann_finds_each_item_itself(ask):
    outputs = ask("index").predict("serving_default", {"query": item_embeddings()})
    assert outputs["item"].shape == (500, 3)
    assert outputs["item"][:, 0].tolist() == list(range(500))


def test_describes_the_signatures(ask):
    signatures = ask("words").signatures()
    assert list(signatures) == ["serving_default"]
    words = signatures["serving_default"].inputs["words"]
    assert (words.kind.name, words.shape) == ("string", (None, None))
    weight = signatures["serving_default"].outputs["weight"]
    assert (weight.kind.name, weight.shape) == ("float", (None,))
    any_rank = ask("hp2").signatures()["any_rank"]
    assert any_rank.inputs["x"].shape is None


def test_status(ask):
    assert ask("hp2").status() == [VersionStatus(123, "AVAILABLE", "")]
    assert ask("hp2", version=123).status() == [VersionStatus(123, "AVAILABLE", "")]


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        ({"z": [1]}, "no input 'z'; it has x"),
        ({"x": ["a"]}, "'x' has .*, expected float"),
        ({"x": [[1]]}, r"input 'x' has shape \[1, 1\], expected \[\?\]"),
        ({}, "x"),
    ],
)
def test_refuses_inputs(ask, inputs, match):
    with pytest.raises(InvalidRequest, match=match):
        ask("hp2").predict("serving_default", inputs)


def test_refuses_an_unknown_signature(ask):
    with pytest.raises(InvalidRequest, match="no signature 'zzz'; it has any_rank"):
        ask("hp2").predict("zzz", {})


@pytest.mark.parametrize("options", [{"model": "no"}, {"model": "hp2", "version": 9}])
def test_tells_a_model_that_is_not_there(ask, options):
    client = ask(**options)
    with pytest.raises(ModelNotFound, match="Servable not found"):
        client.predict("serving_default", {"x": [1]})
    with pytest.raises(ModelNotFound, match="Could not find"):
        client.status()


def test_tells_a_fault_of_the_graph(ask):
    with pytest.raises(ServerFault):  # ScaNN's answer to a batch of no rows
        ask("index").predict("serving_default", {"query": np.empty((0, 8))})


@pytest.mark.parametrize("kind", KINDS)
def test_tells_a_server_that_is_not_there(kind):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with open_client(kind, address, model="m") as client:
            with pytest.raises(Unavailable):
                client.status()
            assert client.counts() == {"requests": 1, "retries": 3, "Unavailable": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_gives_up_at_the_deadline(kind):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with (
            open_client(kind, address, model="m", timeout_s=0.2) as client,
            pytest.raises(DeadlineExceeded),
        ):
            client.predict("serving_default", {})


def test_a_closed_client_says_so(ask):
    client = ask("hp2")
    client.status()
    client.close()
    with pytest.raises(InvalidRequest, match="closed"):
        client.status()


def test_threads_share_a_client(ask):
    client = ask("hp2")

    def work(thread):
        return [
            client.predict("serving_default", {"x": [thread * 100 + turn]})["y"][0]
            for turn in range(20)
        ]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    expected = [[(t * 100 + i) / 2 + 2 for i in range(20)] for t in range(8)]
    assert answers == expected
