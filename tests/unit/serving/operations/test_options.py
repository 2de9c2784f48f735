import argparse
import ast
from pathlib import Path

import pytest

from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.operations.limits import Limits, grpc_options
from serving.server.operations.logs import LogFormat
from serving.server.operations.options import (
    OperationsOptions,
    add_operations_flags,
    operations_options,
)
from serving.server.operations.request_log.log import Rotation
from tfrs_app.contract.errors import ConfigError


def options_of(*flags):
    parser = argparse.ArgumentParser()
    add_operations_flags(parser)
    return operations_options(parser.parse_args(flags))


def test_without_flags_nothing_is_on():
    assert options_of() == OperationsOptions()


def test_every_flag_arrives():
    found = options_of(
        *("--monitoring_config_file", "m"),
        *("--ssl_config_file=s", "--auth_token_file=a", "--admin_token_file=b"),
        *("--log_format=json", "--request_log_type=tfrecord"),
        *("--request_log_prefix=/logs/r", "--request_log_sampling_rate=0.5"),
        *("--request_log_user_key_file=k", "--request_log_max_file_bytes=7"),
        *("--request_log_max_file_seconds=8", "--grpc_max_message_bytes=9"),
        *("--rest_api_max_body_bytes=10", "--max_connections=11"),
        "--grpc_max_concurrent_streams=12",
    )
    assert found == OperationsOptions(
        monitoring_config_file=Path("m"),
        ssl_config_file=Path("s"),
        auth_token_file=Path("a"),
        admin_token_file=Path("b"),
        request_log=LoggingPolicy(LogType.TFRECORD, Path("/logs/r"), 0.5),
        request_log_user_key_file=Path("k"),
        rotation=Rotation(7, 8.0),
        limits=Limits(9, 10, max_connections=11, max_streams=12),
        log_format=LogFormat.JSON,
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--request_log_type=jsonl"], "belong together"),
        (["--request_log_prefix=/logs/r"], "belong together"),
        (["--max_connections=0"], "max_connections 0 must be above 0"),
        (["--rest_api_max_body_bytes=-1"], "max_body_bytes -1 must be above 0"),
    ],
)
def test_contradictions_are_refused(flags, message):
    with pytest.raises(ConfigError, match=message):
        options_of(*flags)


def test_the_page_names_every_flag():
    parser = argparse.ArgumentParser(add_help=False)
    add_operations_flags(parser)
    page = (Path(__file__).parents[4] / "docs" / "operations.md").read_text()
    for action in parser._actions:
        assert f"`{action.option_strings[0]}`" in page


def test_the_page_names_every_metric():
    root = Path(__file__).parents[4]
    source = root / "serving/server/operations/metrics/server_metrics.py"
    names = {
        node.args[place].value.replace("/", ":")
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        for place in {"_series": [1], "_histogram": [0], "_gauge": [0]}.get(
            node.func.id, []
        )
        if isinstance(node.args[place], ast.Constant)
    }
    assert len(names) == 10
    page = (root / "docs" / "operations.md").read_text()
    for name in names:
        assert name in page


def test_grpc_takes_the_limits():
    found = dict(grpc_options(Limits(max_message_bytes=5, max_streams=6)))
    assert found["grpc.max_receive_message_length"] == 5
    assert found["grpc.max_concurrent_streams"] == 6
