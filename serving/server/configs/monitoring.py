"""TF Serving's MonitoringConfig: whether and where metrics are shown."""

from __future__ import annotations

from pathlib import Path

from serving.server.configs.text_message import (
    BOOL,
    STRING,
    message_classes,
    read_text,
)
from tfrs_app.contract.errors import ConfigError

DEFAULT_PATH = "/monitoring/prometheus/metrics"
FLAG = "--monitoring_config_file"

_MESSAGES = message_classes(
    "tensorflow_serving/config/monitoring_config.proto",
    {
        "PrometheusConfig": {"enable": BOOL, "path": STRING},
        "MonitoringConfig": {"prometheus_config": "PrometheusConfig"},
    },
)


def metrics_path(path: Path) -> str | None:
    """Returns the HTTP path at which a config file wants metrics; None: nowhere.

    Raises:
        ConfigError: the file is no MonitoringConfig, or its path is none.
    """
    message = read_text(path, _MESSAGES["MonitoringConfig"](), FLAG)
    config = message.prometheus_config
    if not config.enable:
        return None
    wanted: str = config.path or DEFAULT_PATH
    if not wanted.startswith("/"):
        raise ConfigError(
            f"{FLAG}: {path}: prometheus_config.path {wanted!r} must begin with '/'; "
            f"write for example {DEFAULT_PATH}"
        )
    return wanted
