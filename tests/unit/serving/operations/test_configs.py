from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import logging_config_pb2

from serving.server.configs.logging import LoggingPolicy, LogType, logging_policy
from serving.server.configs.monitoring import metrics_path
from serving.server.configs.ssl import TlsConfig, read_ssl_config
from tfrs_app.contract.errors import ConfigError


def written(tmp_path, text, mode=0o600):
    path = tmp_path / "config"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("prometheus_config { enable: true }", "/monitoring/prometheus/metrics"),
        ('prometheus_config: { enable: true, path: "/metrics" }', "/metrics"),
        ('prometheus_config { enable: false path: "/metrics" }', None),
        ("", None),
    ],
)
def test_where_metrics_are_shown(tmp_path, text, path):
    assert metrics_path(written(tmp_path, text)) == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('prometheus_config { enable: true path: "x" }', "'x' must begin with '/'"),
        ("prometheus { }", r"is no MonitoringConfig in protobuf text format \(line 1"),
    ],
)
def test_a_bad_monitoring_config_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=f"--monitoring_config_file: .*{message}"):
        metrics_path(written(tmp_path, text))


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*gone"):
        metrics_path(tmp_path / "gone")


def test_ssl_config_holds_the_texts_themselves(tmp_path):
    text = (
        'server_key: "KEY\\n1"\nserver_cert: "CERT"\ncustom_ca: "CA"\n'
        "client_verify: true\n"
    )
    config = read_ssl_config(written(tmp_path, text))
    assert config == TlsConfig(b"KEY\n1", b"CERT", b"CA", client_verify=True)
    assert "KEY" not in repr(config)


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ('server_cert: "C"', 0o600, "has no server_key; write the PEM text itself"),
        ('server_key: "K"', 0o600, "has no server_cert"),
        ('server_key: "K" server_cert: "C" client_verify: true', 0o600,
         "client_verify without custom_ca"),
        ('server_key: "K" server_cert: "C"', 0o644, "others can read"),
    ],
)  # fmt: skip
def test_a_bad_ssl_config_is_refused(tmp_path, text, mode, message):
    with pytest.raises(ConfigError, match=f"--ssl_config_file: .*{message}"):
        read_ssl_config(written(tmp_path, text, mode))


def test_a_broken_ssl_config_does_not_tell_the_key(tmp_path):
    path = written(tmp_path, 'server_key: "SECRET" SECRET')
    with pytest.raises(ConfigError) as refused:
        read_ssl_config(path)
    assert "SECRET" not in str(refused.value)


def policy_of(text):
    message = text_format.Parse(text, logging_config_pb2.LoggingConfig())
    return logging_policy(message, "shop")


def test_logging_config_is_upstreams():
    text = (
        'log_collector_config { type: "tfrecord" filename_prefix: "/var/log/r" } '
        "sampling_config { sampling_rate: 0.25 }"
    )
    assert policy_of(text) == LoggingPolicy(LogType.TFRECORD, Path("/var/log/r"), 0.25)
    assert policy_of("") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('log_collector_config { type: "kafka" filename_prefix: "a" }',
         r"'shop': .*type 'kafka' is unknown; use one of \['jsonl', 'tfrecord'\]"),
        ('log_collector_config { type: "jsonl" filename_prefix: "a" } '
         "sampling_config { sampling_rate: 1.5 }", "sampling_rate 1.5 must lie"),
        ('log_collector_config { type: "jsonl" filename_prefix: "a" } '
         "sampling_config { sampling_rate: nan }", "sampling_rate nan must lie"),
        ('log_collector_config { type: "jsonl" }', "filename_prefix '.' names no file"),
    ],
)  # fmt: skip
def test_a_bad_logging_config_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        policy_of(text)
