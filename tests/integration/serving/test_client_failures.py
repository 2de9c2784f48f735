"""Servers that stop, die, dawdle and lie; the real one wherever it can be made to."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import tensorflow as tf

from serving.client import (
    DeadlineExceeded,
    Retries,
    Shopper,
    Unavailable,
    WrongAnswer,
)
from serving.server.server import running
from tests.integration.serving.clients import KINDS, client_of, open_client, options_of

PATIENT = Retries(attempts=1000, first_pause_s=0.05, longest_pause_s=0.1, budget=1000)


@pytest.fixture(scope="module")
def ports():
    """Two ports that were free a moment ago."""
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def half(client, **options):
    outputs = client.predict("serving_default", {"x": [1.0]}, **options)
    return outputs["y"].tolist()


def test_a_call_outlives_a_restart_of_the_server(models, ports):
    options = options_of({"hp2": models["hp2"]}, *ports)
    with ExitStack() as opened:
        with running(options) as addresses:
            clients = [
                opened.enter_context(
                    client_of(kind, addresses, model="hp2", retries=PATIENT)
                )
                for kind in KINDS
            ]
            assert [half(client) for client in clients] == [[2.5]] * 4
        answers = [[] for _ in clients]
        threads = [
            threading.Thread(target=lambda c=c, a=a: a.append(half(c, timeout_s=60)))
            for c, a in zip(clients, answers, strict=True)
        ]
        for thread in threads:
            thread.start()
        while not all(client.counts().get("retries") for client in clients):
            time.sleep(0.01)
        with running(options):
            for thread in threads:
                thread.join()
            assert answers == [[[2.5]]] * 4
            # Connections that were broken are replaced for good.
            assert [half(client) for client in clients] == [[2.5]] * 4


@pytest.mark.slow
def test_a_server_that_is_killed_is_told_and_found_again(models, ports):
    command = [
        sys.executable, "-m", "serving.server", "--model_name", "hp2",
        "--model_base_path", str(models["hp2"]),
        "--port", str(ports[0]), "--rest_api_port", str(ports[1]),
    ]  # fmt: skip
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        line = process.stdout.readline()
        assert re.search(r"gRPC \S+, REST \S+", line), line
        addresses = [f"127.0.0.1:{port}" for port in ports]
        with ExitStack() as opened:
            clients = [
                opened.enter_context(
                    open_client(
                        kind, addresses[kind.endswith("rest")], model="hp2",
                        retries=Retries(attempts=2), fallback=["p"],
                    )
                )
                for kind in KINDS
            ]  # fmt: skip
            ended = [until_it_fails(client) for client in clients]
            process.send_signal(signal.SIGKILL)
            for thread, errors in ended:
                thread.join(60)
                # Nothing but Unavailable: no answer is made up, none is lost silently.
                assert [type(error) for error in errors] == [Unavailable]
            options = options_of({"hp2": models["hp2"]}, *ports)
            with running(options):
                assert [again(client) for client in clients] == [[2.5]] * 4


def until_it_fails(client):
    """Asks on a thread until there is no answer; returns it and the error to come."""
    errors, started = [], threading.Event()

    def ask():
        try:
            while True:
                assert half(client) == [2.5]
                started.set()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert started.wait(60)
    return thread, errors


def again(client):
    """Asks until the connection is back; gRPC waits up to a second for a new one."""
    for _ in range(1000):
        try:
            return half(client)
        except Unavailable:
            time.sleep(0.05)
    return None


@contextmanager
def wire(answer):
    """Yields the address of a server that does as told with each connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        stop = threading.Event()

        def serve():
            for turn in range(100):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        answer(connection, turn, stop)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(60)


STATUS = b'{"model_version_status": []}'
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(STATUS), STATUS)
RESTS = [kind for kind in KINDS if kind.endswith("rest")]


@pytest.mark.parametrize("kind", RESTS)
def test_a_server_that_dawdles_does_not_buy_time_by_the_byte(kind):
    def drip(connection, _turn, stop):
        for byte in WHOLE * 100:
            connection.sendall(bytes([byte]))
            if stop.wait(0.05):
                return

    with (
        wire(drip) as address,
        open_client(kind, address, model="m", timeout_s=0.4) as client,
        pytest.raises(DeadlineExceeded),
    ):
        client.status()


@pytest.mark.parametrize("kind", RESTS)
@pytest.mark.parametrize("sent", [b"", WHOLE[:30], WHOLE[:-5]])
def test_an_answer_that_breaks_off_is_asked_for_again(kind, sent):
    def break_off(connection, turn, _stop):
        connection.sendall(WHOLE if turn else sent)

    with (
        wire(break_off) as address,
        open_client(kind, address, model="m") as client,
    ):
        assert client.status() == []
        assert client.counts()["retries"] == 1


@pytest.mark.parametrize("kind", RESTS)
def test_what_speaks_another_protocol_is_unavailable(kind):
    def babble(connection, _turn, _stop):
        connection.sendall(b"220 smtp ready\r\n")

    with (
        wire(babble) as address,
        open_client(kind, address, model="m") as client,
        pytest.raises(Unavailable, match="not reached"),
    ):
        client.status()


class Liar(tf.Module):
    """Answers as the first item of the history says, always with a smile."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string, name="history_item_id"),
            tf.TensorSpec([None, None], tf.string, name="exclude"),
            tf.TensorSpec(None, tf.int32, name="k"),
        ]
    )
    def recommend(self, history_item_id, exclude, k):
        word = history_item_id[0, 0]
        rows = tf.shape(history_item_id)[0]
        kept = tf.where(word == "rows", rows - 1, rows)
        item = tf.where(word == "stranger", "nobody", "i1")
        score = tf.where(word == "nan", tf.constant(np.nan), 1.0)
        width = tf.where(word == "longer", tf.reduce_max(k) + 1, tf.reduce_max(k))
        shape = tf.stack([kept, width]) + 0 * tf.shape(exclude)[0]
        return {"item_id": tf.fill(shape, item), "score": tf.fill(shape, score)}


@pytest.fixture(scope="module")
def liar(tmp_path_factory):
    base = tmp_path_factory.mktemp("liar")
    module = Liar()
    tf.saved_model.save(
        module, str(base / "1"), signatures={"serving_default": module.recommend}
    )
    with running(options_of({"liar": base})) as addresses:
        yield addresses


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_lies_is_found_out(liar, kind):
    options = {"model": "liar", "catalogue": {"i1", "i2"}}
    plain = [Shopper(["i1"], exclude=["i2"]), Shopper(["i1"], exclude=["i2"])]
    with client_of(kind, liar, **options, fallback=["p", "i2"]) as client:
        honest = client.recommend_many(plain, k=1)
        assert [(a.item_ids, a.degraded) for a in honest] == [(["i1"], False)] * 2
        for number, lie in enumerate(("rows", "nan", "stranger", "longer"), start=1):
            shoppers = [Shopper([lie], exclude=["i2"]), *plain[1:]]
            answers = client.recommend_many(shoppers, k=1)
            assert [(a.item_ids, a.degraded) for a in answers] == [(["p"], True)] * 2
            counts = client.counts()
            assert (counts["rejected"], counts["degraded"]) == (number, number)
        listed = [Shopper(["i2"], exclude=["i1"])]
        assert client.recommend_many(listed, k=1)[0].degraded
    with (
        client_of(kind, liar, **options) as client,
        pytest.raises(WrongAnswer, match="NaN"),
    ):
        client.recommend_many([Shopper(["nan"], exclude=["i2"])], k=1)
