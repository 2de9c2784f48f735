"""The command line: `tensorflow_model_server`'s flags, and a few of our own."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from serving.server.batching.flags import add_batching_flags
from serving.server.batching.options import BatchingOptions
from serving.server.models.lifecycle import Lifecycle
from serving.server.models.model_config import ModelConfig
from serving.server.operations.options import (
    add_operations_flags,
    operations_options,
)
from serving.server.options import ServerOptions
from serving.server.protocol import add_protocol_flags, protocol_options
from serving.server.switch import add_switch
from tfrs_app.contract.errors import ServerError

# Flags of tensorflow_model_server that tune what does not exist here; they are taken,
# so that one command line starts either server.
_WITHOUT_EFFECT = (
    "flush_filesystem_caches",
    "num_load_threads",
    "num_unload_threads",
    "rest_api_num_threads",
    "tensorflow_inter_op_parallelism",
    "tensorflow_intra_op_parallelism",
    "tensorflow_session_parallelism",
)

_MICROS = 1e6


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all flags."""
    flags = argparse.ArgumentParser(
        "python -m serving.server",
        description="Serves SavedModels as tensorflow_model_server does.",
        allow_abbrev=False,
    )
    _add_models(flags)
    _add_addresses(flags)
    _add_process(flags)
    add_batching_flags(flags)
    add_operations_flags(flags)
    add_protocol_flags(flags)
    for name in _WITHOUT_EFFECT:
        flags.add_argument(f"--{name}", help=argparse.SUPPRESS)
    return flags


def options_of(flags: argparse.Namespace) -> ServerOptions:
    """Returns the options that flags stand for.

    Raises:
        ServerError: names the flag, its value and the remedy.
    """
    return ServerOptions(
        models=_models(flags),
        grpc_port=flags.port,
        rest_port=flags.rest_api_port,
        bind=flags.bind,
        insecure_allow_remote=flags.insecure_allow_remote,
        grpc_socket_path=flags.grpc_socket_path,
        grpc_channel_arguments=_channel_arguments(flags.grpc_channel_arguments),
        grpc_threads=flags.grpc_max_threads,
        model_config_file=flags.model_config_file,
        config_poll_s=flags.model_config_file_poll_wait_seconds,
        lifecycle=Lifecycle(
            poll_s=flags.file_system_poll_wait_seconds,
            max_retries=flags.max_num_load_retries,
            retry_s=flags.load_retry_interval_micros / _MICROS,
            keep_last=flags.servable_versions_always_present,
            labels_may_wait=flags.allow_version_labels_for_unavailable_models,
            grace_s=flags.shutdown_grace_seconds,
        ),
        reload_rpc=flags.enable_reload_rpc,
        workers=flags.workers,
        rest_timeout_s=flags.rest_api_timeout_in_ms / 1000,
        batching=BatchingOptions.from_flags(
            flags.enable_batching,
            flags.batching_parameters_file,
            flags.enable_per_model_batching_parameters,
        ),
        operations=operations_options(flags),
        protocol=protocol_options(flags),
    )


def _add_models(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("models")
    group.add_argument("--model_name", default="default")
    group.add_argument(
        "--model_base_path", type=Path, help="folder that holds one folder a version"
    )
    group.add_argument(
        "--model_config_file",
        type=Path,
        help="ModelServerConfig in text form, instead of name and base path",
    )
    group.add_argument(
        "--model_config_file_poll_wait_seconds",
        type=float,
        default=0,
        help="look for changes of that file this often; 0 = never (SIGHUP: now)",
    )
    group.add_argument(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1,
        help="look for new versions this often; 0 = once, negative = never",
    )
    group.add_argument("--max_num_load_retries", type=int, default=5)
    group.add_argument("--load_retry_interval_micros", type=float, default=60 * _MICROS)
    add_switch(
        group,
        "servable_versions_always_present",
        default=True,
        help="keep what is served when its base path is emptied",
    )
    add_switch(
        group,
        "allow_version_labels_for_unavailable_models",
        default=False,
        help="let a new label name a version that is not loaded yet",
    )


def _add_addresses(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("addresses")
    group.add_argument(
        "--port", type=_port, default=8500, help="of gRPC; 0 = off, auto = any free"
    )
    group.add_argument(
        "--rest_api_port",
        type=_port,
        default=8501,
        help="of REST; 0 = off, auto = any free",
    )
    group.add_argument("--bind", default="127.0.0.1", help="IP address to listen on")
    add_switch(
        group,
        "insecure_allow_remote",
        default=False,
        help="permit a --bind that other machines can reach",
    )
    group.add_argument(
        "--grpc_socket_path", default="", help="Unix socket to serve gRPC on besides"
    )
    group.add_argument(
        "--grpc_channel_arguments", default="", help="name=value,... for gRPC's core"
    )
    group.add_argument("--grpc_max_threads", type=int)
    group.add_argument("--rest_api_timeout_in_ms", type=int, default=30_000)
    add_switch(
        group,
        "enable_reload_rpc",
        default=None,
        help="let clients replace the models (HandleReloadConfigRequest); on where "
        "only this machine can ask",
    )


def _add_process(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("processes")
    group.add_argument(
        "--workers",
        type=int,
        default=1,
        help="processes that share the ports, each with its own copy of the models",
    )
    group.add_argument(
        "--shutdown_grace_seconds",
        type=float,
        default=15,
        help="how long calls in progress may take when the server is told to end",
    )


def _models(flags: argparse.Namespace) -> Mapping[str, ModelConfig]:
    if flags.model_config_file is not None:
        if flags.model_base_path is not None:
            raise ServerError(
                "--model_config_file and --model_base_path exclude each other; name "
                "the model in the file"
            )
        from serving.server.configs.model_server import read_model_configs

        return read_model_configs(flags.model_config_file)
    if flags.model_base_path is None:
        raise ServerError(
            "no model to serve: give --model_base_path (with --model_name) or "
            "--model_config_file"
        )
    return {flags.model_name: ModelConfig(flags.model_base_path)}


def _channel_arguments(text: str) -> list[tuple[str, str | int]]:
    arguments: list[tuple[str, str | int]] = []
    for part in filter(None, text.split(",")):
        name, separator, value = part.partition("=")
        if not separator or not name:
            raise ServerError(
                f"--grpc_channel_arguments {part!r} must have the form name=value"
            )
        number = value.lstrip("-").isdigit()
        arguments.append((name, int(value) if number else value))
    return arguments


def _port(text: str) -> int | None:
    if text == "auto":
        return 0
    try:
        return int(text) or None
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a port nor auto"
        ) from error
