"""Starting, failing to start, and stopping."""

import signal
import socket
from contextlib import contextmanager

import httpx
import numpy as np
import pytest

from serving.client import connect
from serving.server.models.lifecycle import Lifecycle
from serving.server.models.loader import load_servable
from serving.server.models.manager import ModelManager
from serving.server.models.model_config import ModelConfig
from serving.server.models.registry import ModelRegistry, State
from serving.server.server import running
from tests.integration.serving.models import free, save_half_plus_two, write_warmup
from tests.integration.serving.processes import command
from tfrs_app.contract.artifacts import write_manifest
from tfrs_app.contract.errors import ServerError


def test_the_command_serves_until_it_is_told_to_stop(models):
    process = command(
        "--model_name", "m", "--model_base_path", models["hp2"],
        "--port=auto", "--rest_api_port=auto",
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        assert line.startswith("serving m: gRPC 127.0.0.1:")
        grpc_address = line.split("gRPC ")[1].split(",")[0]
        rest_address = line.split("REST ")[1].strip()
        for address in (grpc_address, rest_address):
            with connect(address, model="m") as client:
                outputs = client.predict("serving_default", {"x": [1]})
                assert outputs["y"].tolist() == [2.5]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        (["--bind", "0.0.0.0"], "error: bind 0.0.0.0 can be reached"),
        (["--port", "-1"], "error: port -1 must lie between"),
    ],
)
def test_the_command_refuses_before_tensorflow_is_imported(flags, match, tmp_path):
    process = command("--model_name", "m", "--model_base_path", tmp_path, *flags)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.startswith(match)
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("port", ["grpc_port", "rest_port"])
def test_a_port_in_use_is_told(models, port):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        ports = {"grpc_port": 0, "rest_port": 0, port: taken}
        options = free({"hp2": models["hp2"]}, **ports)
        with (
            pytest.raises(ServerError, match=f"127.0.0.1:{taken} .*the port is in use"),
            running(options),
        ):
            pass


def test_the_ports_are_free_again_after_the_end(models):
    with running(free({"hp2": models["hp2"]})) as first:
        ports = [int(address.rsplit(":", 1)[1]) for address in (first.grpc, first.rest)]
    again = free({"m": models["hp2"]}, grpc_port=ports[0], rest_port=ports[1])
    with running(again) as second:
        assert second == first


def test_ipv6_loopback(models):
    options = free({"m": models["hp2"]}, bind="::1")
    with running(options) as addresses:
        assert addresses.rest.startswith("http://[::1]:")
        for address in (addresses.grpc, addresses.rest):
            with connect(address, model="m") as client:
                assert client.status()[0].state == "AVAILABLE"


@contextmanager
def refused(base_path, match):
    registry = ModelRegistry()
    manager = ModelManager({"m": ModelConfig(base_path)}, registry, Lifecycle(poll_s=0))
    with pytest.raises(ServerError, match=match):
        manager.start()
    yield registry


def test_a_base_path_that_does_not_exist_is_refused(tmp_path):
    with refused(tmp_path / "absent", "model 'm': base path .*absent is no folder"):
        pass


def test_a_truncated_model_ends_with_its_error(tmp_path):
    save_half_plus_two(tmp_path / "5")
    path = tmp_path / "5" / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:1000])
    with refused(tmp_path, "model 'm' version 5 cannot be loaded: ") as registry:
        (status,) = registry.status("m")
    assert (status.version, status.state) == (5, State.END)
    assert status.message


def test_missing_variables_are_refused(tmp_path):
    (tmp_path / "5").mkdir()
    with refused(tmp_path, "version 5 cannot be loaded: .*SavedModel"):
        pass


def test_a_changed_file_is_refused_by_the_manifest(tmp_path):
    folder = tmp_path / "5"
    save_half_plus_two(folder)
    write_manifest(
        folder, kind="model", identity="abc", parent=None, spec_fingerprint="f",
        counts={}, inside="assets.extra",
    )  # fmt: skip
    load_servable("m", 5, folder).close()
    with (folder / "saved_model.pb").open("ab") as file:
        file.write(b"x")
    with refused(tmp_path, "version 5 cannot be loaded: .*changed since"):
        pass


@pytest.mark.parametrize(
    ("record", "match"),
    [
        ({"x": np.array(["a"])}, "warm-up record 1 failed: .*has dtype object"),
        ({"y": np.ones(1, np.float32)}, "warm-up record 1 failed: .*Sent extra: {y}"),
    ],
)
def test_a_failing_warm_up_record_fails_the_load(tmp_path, record, match):
    save_half_plus_two(tmp_path / "5")
    write_warmup(tmp_path / "5", {"x": np.ones(2, np.float32)}, record)
    with refused(tmp_path, match):
        pass


def test_a_warm_up_file_that_is_none_fails_the_load(tmp_path):
    save_half_plus_two(tmp_path / "5")
    write_warmup(tmp_path / "5")
    path = tmp_path / "5" / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(b"no records at all")
    with refused(tmp_path, "version 5 cannot be loaded"):
        pass


def test_serves_the_highest_version(tmp_path):
    for version in ("2", "0010", "9"):
        save_half_plus_two(tmp_path / version)
    with running(free({"m": tmp_path})) as addresses:
        answer = httpx.get(f"{addresses.rest}/v1/models/m").json()
    assert [s["version"] for s in answer["model_version_status"]] == ["10"]


def test_closing_ends_every_version(models):
    registry = ModelRegistry()
    manager = ModelManager({"hp2": ModelConfig(models["hp2"])}, registry)
    manager.start()
    manager.close()
    assert [status.state for status in registry.status("hp2")] == [State.END]
