"""Reads TF Serving's ModelServerConfig: from `--model_config_file` and from the RPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.server.configs.logging import logging_policy
from serving.server.models.model_config import (
    PLATFORM,
    Every,
    Latest,
    ModelConfig,
    Specific,
    VersionPolicy,
)
from tfrs_app.contract.errors import ServerError, UserError

_LIST = "model_config_list"
_TENSORFLOW_TYPE = 1  # of the old field model_type


def read_model_configs(path: Path) -> dict[str, ModelConfig]:
    """Returns the models of a `--model_config_file` by name.

    Raises:
        ServerError: the file cannot be read, or says what `model_configs` refuses.
    """
    message = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), message)
    except OSError as error:
        raise ServerError(f"model config file {path}: {error.strerror}") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ServerError(
            f"model config file {path} is no ModelServerConfig in text form: {error}"
        ) from error
    try:
        return model_configs(message)
    except UserError as error:
        raise ServerError(f"model config file {path}: {error}") from error


def model_configs(message: Any) -> dict[str, ModelConfig]:
    """Returns the models of a ModelServerConfig message by name.

    Raises:
        ServerError: it holds no model_config_list, a name twice, a relative base path,
            or a policy of no version.
    """
    if message.WhichOneof("config") != _LIST:
        raise ServerError("only model_config_list is supported; list the models in it")
    models: dict[str, ModelConfig] = {}
    for entry in message.model_config_list.config:
        if entry.name in models:
            raise ServerError(
                f"Illegal to list model {entry.name} multiple times in config list"
            )
        models[entry.name] = _model(entry)
    return models


def _model(entry: Any) -> ModelConfig:
    base_path = Path(entry.base_path)
    if not base_path.is_absolute():
        raise ServerError(
            f"Expected model {entry.name} to have an absolute path or URI; got "
            f"base_path()={entry.base_path}"
        )
    return ModelConfig(
        base_path=base_path,
        policy=_policy(entry),
        labels=dict(entry.version_labels),
        platform=_platform(entry),
        logging=logging_policy(entry.logging_config, entry.name),
    )


def _platform(entry: Any) -> str:
    if entry.model_platform:
        return str(entry.model_platform)
    if entry.model_type in (0, _TENSORFLOW_TYPE):
        return PLATFORM
    return f"model_type {entry.model_type}"


def _policy(entry: Any) -> VersionPolicy:
    policy = entry.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return Every()
        case "specific":
            if not policy.specific.versions:
                raise ServerError(
                    f"model {entry.name}: model_version_policy specific names no "
                    "version; add versions: N"
                )
            return Specific(frozenset(policy.specific.versions))
        case _:
            return Latest(policy.latest.num_versions or 1)
