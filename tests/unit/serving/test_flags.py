import os
from pathlib import Path

import pytest

from serving.engine import BINARY, Engine, Plan, choose, command_line
from serving.server.flags import options_of, parser
from serving.server.models.model_config import ModelConfig
from tfrs_app.contract.errors import ServerError


def options(*flags):
    return options_of(parser().parse_args(flags))


def test_a_single_model_as_tensorflow_model_server_takes_it():
    taken = options(
        "--port=9000", "--rest_api_port=9001", "--model_name=shop",
        "--model_base_path=/models/shop", "--file_system_poll_wait_seconds=0",
        "--max_num_load_retries=2", "--load_retry_interval_micros=500000",
        "--tensorflow_session_parallelism=2", "--num_load_threads=4",
    )  # fmt: skip
    assert taken.models == {"shop": ModelConfig(Path("/models/shop"))}
    assert (taken.grpc_port, taken.rest_port) == (9000, 9001)
    assert taken.lifecycle.poll_s == 0
    assert (taken.lifecycle.max_retries, taken.lifecycle.retry_s) == (2, 0.5)


def test_names_and_ports_default_as_upstream_does():
    taken = options("--model_base_path=/m")
    assert list(taken.models) == ["default"]
    assert (taken.grpc_port, taken.rest_port) == (8500, 8501)


def test_port_0_is_off_and_auto_any_free_one():
    taken = options("--model_base_path=/m", "--port=auto", "--rest_api_port=0")
    assert (taken.grpc_port, taken.rest_port) == (0, None)


@pytest.mark.parametrize(
    ("flag", "value"),
    [("", False), ("--allow_version_labels_for_unavailable_models", True)]
    + [
        (f"--allow_version_labels_for_unavailable_models={text}", value)
        for text, value in (("true", True), ("1", True), ("false", False))
    ],
)
def test_switches(flag, value):
    taken = options("--model_base_path=/m", *filter(None, [flag]))
    assert taken.lifecycle.labels_may_wait is value


def test_channel_arguments():
    flag = "--grpc_channel_arguments=grpc.max_connection_age_ms=2000,grpc.name=x"
    taken = options("--model_base_path=/m", flag)
    assert taken.grpc_channel_arguments == [
        ("grpc.max_connection_age_ms", 2000),
        ("grpc.name", "x"),
    ]


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        ([], "no model to serve: give --model_base_path"),
        (
            ["--model_base_path=/m", "--model_config_file=/c"],
            "exclude each other",
        ),
        (["--model_config_file=/no/such"], "model config file /no/such: No such file"),
        (
            ["--model_base_path=/m", "--grpc_channel_arguments=x"],
            "'x' must have the form name=value",
        ),
    ],
)
def test_refuses(flags, match):
    with pytest.raises(ServerError, match=match):
        options(*flags)


@pytest.mark.parametrize(
    "flag", ["--port=x", "--insecure_allow_remote=maybe", "--no_such_flag", "--mod=3"]
)
def test_malformed_flags_end_with_status_2(flag, capsys):
    with pytest.raises(SystemExit) as ended:
        options("--model_base_path=/m", flag)
    assert ended.value.code == 2
    assert flag.split("=")[0].lstrip("-") in capsys.readouterr().err


def plan(**changes):
    given = {
        "model": "shop",
        "base_path": Path("/models/shop"),
        "grpc_port": "8500",
        "rest_port": "8501",
        "bind": "127.0.0.1",
        "insecure_allow_remote": False,
        "workers": 2,
        "flags": ["--enable_batching=true"],
    }
    return Plan(**{**given, **changes})


@pytest.fixture
def installed(tmp_path, monkeypatch):
    binary = tmp_path / BINARY
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_auto_is_embedded_without_the_binary(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose(Engine.AUTO, plan()) is Engine.EMBEDDED
    with pytest.raises(ServerError, match="is not on the PATH"):
        choose(Engine.TENSORFLOW_MODEL_SERVER, plan(insecure_allow_remote=True))


@pytest.mark.usefixtures("installed")
def test_the_binary_serves_only_where_all_may_reach_it():
    remote = plan(insecure_allow_remote=True)
    assert choose(Engine.AUTO, remote) is Engine.TENSORFLOW_MODEL_SERVER
    assert choose(Engine.AUTO, plan()) is Engine.EMBEDDED
    assert choose(Engine.EMBEDDED, remote) is Engine.EMBEDDED
    with pytest.raises(ServerError, match="listens on all addresses"):
        choose(Engine.TENSORFLOW_MODEL_SERVER, plan())


def test_both_engines_take_upstreams_flags_and_only_ours_takes_ours():
    theirs = command_line(Engine.TENSORFLOW_MODEL_SERVER, plan())
    assert theirs == [
        "--port=8500",
        "--rest_api_port=8501",
        "--model_name=shop",
        "--model_base_path=/models/shop",
        "--enable_batching=true",
    ]
    ours = command_line(Engine.EMBEDDED, plan(flags=[]))
    assert set(theirs[:-1]) < set(ours)
    taken = options(*ours)
    assert (taken.bind, taken.workers) == ("127.0.0.1", 2)
