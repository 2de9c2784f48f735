"""Signals, swaps and deaths, seen from outside the server's process."""

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.integration.serving.models import save_half_plus_two
from tests.integration.serving.processes import command, load, publish, served, until


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "1"
    save_half_plus_two(folder)
    return folder


@pytest.fixture
def base(saved, tmp_path):
    (tmp_path / "m").mkdir()
    publish(saved, tmp_path / "m", 1)
    return tmp_path / "m"


def flags(base):
    return (
        "--model_name=m", f"--model_base_path={base}",
        "--file_system_poll_wait_seconds=0.1",
    )  # fmt: skip


def test_no_request_fails_while_versions_are_swapped(saved, base):
    with served(*flags(base)) as server:
        with load(server) as seen:
            for version in (2, 3, 4):
                publish(saved, base, version)
                until(lambda v=version: server.versions().get(str(v)) == "AVAILABLE")
                until(lambda v=version: server.versions()[str(v - 1)] == "END")
            broken = base / "5"
            broken.mkdir()
            (broken / "saved_model.pb").write_bytes(b"half of it")
            until(lambda: server.versions().get("5") == "END")
            time.sleep(0.2)
        assert set(seen) == {(200, "[3.0]")}
        assert server.versions()["4"] == "AVAILABLE"
        assert server.ask().json() == {"predictions": [2.5]}


@contextmanager
def call_in_progress(server):
    """Yields a list that gets the answer of a call of some seconds, already sent."""
    with httpx.Client(base_url=server.rest, timeout=60) as client:
        client.get("/livez")  # the connection stands
        answers, sent = [], threading.Event()

        def ask():
            sent.set()
            body = {"signature_name": "slow", "instances": [1.0]}
            with suppress(httpx.TransportError):
                answers.append(client.post("/v1/models/m:predict", json=body))

        asker = threading.Thread(target=ask)
        asker.start()
        sent.wait()
        time.sleep(0.5)
        yield answers
        asker.join()


def test_sigterm_lets_calls_in_progress_end(base):
    with served(*flags(base)) as server:
        with call_in_progress(server) as answers:
            server.process.send_signal(signal.SIGTERM)
        assert [answer.status_code for answer in answers] == [200]
        assert server.process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):
            server.ask()


def test_a_second_signal_does_not_wait(base):
    with served(*flags(base)) as server, call_in_progress(server) as answers:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == 130
        assert answers == []


def test_sighup_reads_the_config_again_and_keeps_the_old_one_if_it_is_bad(
    saved, base, tmp_path
):
    publish(saved, base, 2)
    config = tmp_path / "models.config"

    def write(version):
        config.write_text(
            f'model_config_list {{ config {{ name: "m" base_path: "{base}" '
            f'model_platform: "tensorflow" '
            f"model_version_policy {{ specific {{ versions: {version} }} }} }} }}"
        )

    write(1)
    with served(f"--model_config_file={config}") as server:
        assert server.versions() == {"1": "AVAILABLE"}
        config.write_text("nonsense")
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert server.ask().status_code == 200
        write(2)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.versions() == {"2": "AVAILABLE", "1": "END"})


def workers_of(server):
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {
        int(child)
        for child in children
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()
    }


def test_a_killed_worker_is_replaced_and_the_others_serve(base):
    with served(*flags(base), "--workers=2") as server:
        first = workers_of(server)
        assert len(first) == 2
        os.kill(min(first), signal.SIGKILL)
        # A process that ends loses its memory first, and then its ports.
        until(lambda: not os.path.exists(f"/proc/{min(first)}"))
        for _ in range(20):  # new connections: the kernel knows who listens
            assert server.ask().status_code == 200
        until(lambda: len(workers_of(server)) == 2)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(90) == 0


def test_workers_end_with_a_killed_supervisor(base):
    with served(*flags(base), "--workers=2") as server:
        workers = workers_of(server)
        server.process.kill()
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))


def test_a_taken_port_is_told_before_tensorflow_is_imported(base):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = command(*flags(base), f"--port={port}")
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith(f"error: cannot listen on 127.0.0.1:{port} for gRPC")
    assert len(errors.splitlines()) == 1


def test_ready_only_while_every_model_answers(tmp_path, saved):
    base = tmp_path / "m"
    base.mkdir()
    with served(*flags(base)) as server:
        assert httpx.get(f"{server.rest}/livez").status_code == 200
        answer = httpx.get(f"{server.rest}/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"error": "no version is available of m"}
        assert server.ask().status_code == 404
        publish(saved, base, 1)
        until(lambda: httpx.get(f"{server.rest}/readyz").status_code == 200)
        assert server.ask().status_code == 200
