"""What a server is told about operations: files, limits and forms."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.operations.limits import MIB, Limits
from serving.server.operations.logs import LogFormat
from serving.server.operations.request_log.log import Rotation
from tfrs_app.contract.errors import ConfigError


@dataclass(frozen=True)
class OperationsOptions:
    """Holds the settings; a file that is None is not used.

    Attributes:
        monitoring_config_file: MonitoringConfig, shows metrics on the REST port.
        ssl_config_file: SSLConfig, encrypts both ports.
        auth_token_file: bearer tokens of those who may ask.
        admin_token_file: bearer tokens for reloading and metrics.
        metrics_folder: where worker processes of one server sum their metrics.
        request_log: of models without a `logging_config` of their own.
        request_log_user_key_file: key of the hash that stands for user ids.
        rotation: of the request log's files.
        limits: of both ports.
        log_format: of the server's own log.
    """

    monitoring_config_file: Path | None = None
    ssl_config_file: Path | None = None
    auth_token_file: Path | None = None
    admin_token_file: Path | None = None
    metrics_folder: Path | None = None
    request_log: LoggingPolicy | None = None
    request_log_user_key_file: Path | None = None
    rotation: Rotation = field(default_factory=Rotation)
    limits: Limits = field(default_factory=Limits)
    log_format: LogFormat = LogFormat.TEXT


def add_operations_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags; those that TF Serving has are named as there."""
    group = parser.add_argument_group("operations")
    for name, text in {
        "monitoring_config_file": "MonitoringConfig: shows Prometheus metrics",
        "ssl_config_file": "SSLConfig: TLS on both ports",
        "auth_token_file": "bearer tokens for asking, one a line",
        "admin_token_file": "bearer tokens for reloading and metrics, one a line",
    }.items():
        group.add_argument(f"--{name}", type=Path, help=text)
    group.add_argument(
        "--log_format", type=LogFormat, choices=list(LogFormat), default=LogFormat.TEXT
    )
    _add_request_log_flags(parser.add_argument_group("request log"))
    _add_limit_flags(parser.add_argument_group("limits"))


def operations_options(flags: argparse.Namespace) -> OperationsOptions:
    """Returns the settings that flags ask for.

    Raises:
        ConfigError: a value is impossible, or the request log's flags contradict.
    """
    return OperationsOptions(
        monitoring_config_file=flags.monitoring_config_file,
        ssl_config_file=flags.ssl_config_file,
        auth_token_file=flags.auth_token_file,
        admin_token_file=flags.admin_token_file,
        request_log=_request_log(flags),
        request_log_user_key_file=flags.request_log_user_key_file,
        rotation=Rotation(
            flags.request_log_max_file_bytes, flags.request_log_max_file_seconds
        ),
        limits=Limits(
            max_message_bytes=flags.grpc_max_message_bytes,
            max_body_bytes=flags.rest_api_max_body_bytes,
            max_connections=flags.max_connections,
            max_streams=flags.grpc_max_concurrent_streams,
        ),
        log_format=flags.log_format,
    )


def _add_request_log_flags(group: argparse._ArgumentGroup) -> None:
    rotation = Rotation()
    group.add_argument(
        "--request_log_type", type=LogType, choices=list(LogType), help="form of files"
    )
    group.add_argument(
        "--request_log_prefix", type=Path, help="path that file names begin with"
    )
    group.add_argument(
        "--request_log_sampling_rate", type=float, default=0.01, help="0 to 1"
    )
    group.add_argument(
        "--request_log_user_key_file",
        type=Path,
        help="key of the hash that stands for user ids; none: ids are left out",
    )
    group.add_argument(
        "--request_log_max_file_bytes", type=int, default=rotation.max_file_bytes
    )
    group.add_argument(
        "--request_log_max_file_seconds", type=float, default=rotation.max_file_age_s
    )


def _add_limit_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--grpc_max_message_bytes", type=int, default=64 * MIB)
    group.add_argument("--rest_api_max_body_bytes", type=int, default=64 * MIB)
    group.add_argument(
        "--max_connections", type=int, default=512, help="on each port of a process"
    )
    group.add_argument("--grpc_max_concurrent_streams", type=int, default=128)


def _request_log(flags: argparse.Namespace) -> LoggingPolicy | None:
    if flags.request_log_type is None and flags.request_log_prefix is None:
        return None
    if flags.request_log_type is None or flags.request_log_prefix is None:
        raise ConfigError(
            "--request_log_type and --request_log_prefix belong together; give both or "
            "neither"
        )
    return LoggingPolicy(
        flags.request_log_type,
        flags.request_log_prefix,
        flags.request_log_sampling_rate,
    )
