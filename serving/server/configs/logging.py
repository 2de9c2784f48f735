"""TF Serving's LoggingConfig: which share of a model's requests is recorded, where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tfrs_app.contract.errors import ConfigError


class LogType(StrEnum):
    """Forms of a request log; TF Serving's own binary knows none."""

    JSONL = "jsonl"
    TFRECORD = "tfrecord"


@dataclass(frozen=True)
class LoggingPolicy:
    """Says how a model's requests are recorded.

    Attributes:
        type: form of the files.
        prefix: path that each file's name begins with; its folder is made.
        sampling_rate: share of the answered requests, 0 to 1, drawn at random.
    """

    type: LogType
    prefix: Path
    sampling_rate: float

    def __post_init__(self) -> None:
        """Checks the rate and the prefix.

        Raises:
            ConfigError: names the value and the remedy.
        """
        if not 0 <= self.sampling_rate <= 1:
            raise ConfigError(
                f"sampling_rate {self.sampling_rate} must lie between 0 and 1; write "
                "the share of requests to record"
            )
        if not self.prefix.name:
            raise ConfigError(
                f"filename_prefix {str(self.prefix)!r} names no file; write for "
                "example /var/log/serving/requests"
            )


def logging_policy(message: Any, model: str) -> LoggingPolicy | None:
    """Returns what a model's `logging_config` asks for; None: nothing is recorded.

    Args:
        message: a LoggingConfig.
        model: the model's name, for messages.

    Raises:
        ConfigError: the type is unknown, or a value is impossible.
    """
    collector = message.log_collector_config
    if not collector.type:
        return None
    try:
        kind = LogType(collector.type)
    except ValueError as error:
        raise ConfigError(
            f"model {model!r}: log_collector_config.type {collector.type!r} is "
            f"unknown; use one of {[str(known) for known in LogType]}"
        ) from error
    return LoggingPolicy(
        kind, Path(collector.filename_prefix), message.sampling_config.sampling_rate
    )
