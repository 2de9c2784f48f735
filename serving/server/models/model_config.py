"""Which model is served from where, and which of its versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serving.server.configs.logging import LoggingPolicy
from tfrs_app.contract.errors import ServerError

PLATFORM = "tensorflow"


@dataclass(frozen=True)
class Latest:
    """Asks for the highest versions."""

    count: int = 1

    def choose(self, versions: Collection[int]) -> frozenset[int]:
        """Returns those of the versions that should be served."""
        return frozenset(sorted(versions, reverse=True)[: self.count])


@dataclass(frozen=True)
class Every:
    """Asks for all versions."""

    def choose(self, versions: Collection[int]) -> frozenset[int]:
        """Returns those of the versions that should be served."""
        return frozenset(versions)


@dataclass(frozen=True)
class Specific:
    """Asks for named versions; those that do not exist are passed over."""

    versions: frozenset[int]

    def choose(self, versions: Collection[int]) -> frozenset[int]:
        """Returns those of the versions that should be served."""
        return self.versions & frozenset(versions)


VersionPolicy = Latest | Every | Specific


@dataclass(frozen=True)
class ModelConfig:
    """Describes one served model.

    Attributes:
        base_path: folder that holds one folder a version.
        policy: which of the versions there are served.
        labels: version by label.
        platform: what runs it; only `tensorflow` is known.
        logging: which of its requests are recorded, or None.
    """

    base_path: Path
    policy: VersionPolicy = Latest()
    labels: Mapping[str, int] = field(default_factory=dict)
    platform: str = PLATFORM
    logging: LoggingPolicy | None = None


def check_models(models: Mapping[str, ModelConfig]) -> None:
    """Checks names and platforms.

    Raises:
        ServerError: names the model and the remedy.
    """
    for name, config in models.items():
        if not name or set(name) & set("/:"):
            raise ServerError(
                f"model name {name!r} must be non-empty, without '/' and ':'"
            )
        if config.platform != PLATFORM:
            raise ServerError(
                f"model {name!r}: model_platform {config.platform!r} is not known; "
                f"use {PLATFORM!r}"
            )
