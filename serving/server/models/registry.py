"""The table of served models: versions with their states, the ready ones, labels."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import grpc

from serving.server.errors import ServingError, invalid
from serving.server.models.handle import Handle
from serving.server.models.servable import Servable

_LOG = logging.getLogger(__name__)

# Ended versions that a model's status still lists.
_ENDED_KEPT = 20


class State(IntEnum):
    """States of a version, numbered as in TF Serving's ModelVersionStatus."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionStatus:
    """Tells how far a version is; an error is what ended it."""

    version: int
    state: State
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""


class ModelRegistry:
    """Finds models by name and version; safe to share between threads."""

    def __init__(self) -> None:
        """Starts empty; a `ModelManager` fills it."""
        self._lock = threading.Lock()
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._ready: dict[str, dict[int, Handle]] = {}
        self._labels: dict[str, dict[str, int]] = {}

    @contextmanager
    def lease(
        self, model: str, version: int | None = None, label: str | None = None
    ) -> Iterator[Servable]:
        """Yields an available version that stays loaded while the context is open.

        Args:
            model: its name.
            version: None for the one of `label`, else the highest.
            label: of a version.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        with self._lock:
            handle = self._find(model, version, label)
            handle.acquire()  # under the lock: nobody may retire it in between
        try:
            yield handle.servable
        finally:
            handle.release()

    def status(self, model: str, version: int | None = None) -> list[VersionStatus]:
        """Returns the state of one version, or of all, newest first.

        Raises:
            ServingError: NOT_FOUND.
        """
        with self._lock:
            known = dict(self._statuses.get(model, {}))
        if not known:
            raise ServingError(
                grpc.StatusCode.NOT_FOUND,
                f"Could not find any versions of model {model}",
            )
        if version is None:
            return [known[number] for number in sorted(known, reverse=True)]
        if version not in known:
            raise ServingError(
                grpc.StatusCode.NOT_FOUND,
                f"Could not find version {version} of model {model}",
            )
        return [known[version]]

    def models(self) -> list[str]:
        """Returns the names of all models that ever had a version."""
        with self._lock:
            return sorted(self._statuses)

    def ready(self, model: str) -> list[int]:
        """Returns the versions of a model that answer requests."""
        with self._lock:
            return sorted(self._ready.get(model, {}))

    def report(self, model: str, status: VersionStatus) -> None:
        """Notes a version's state."""
        reason = f": {status.message}" if status.message else ""
        level = logging.ERROR if status.message else logging.INFO
        _LOG.log(
            level, "%s version %s: %s%s", model, status.version, status.state.name,
            reason,
        )  # fmt: skip
        with self._lock:
            known = self._statuses.setdefault(model, {})
            known[status.version] = status
            ended = [v for v in sorted(known) if known[v].state == State.END]
            for version in ended[:-_ENDED_KEPT]:
                del known[version]

    def add(self, model: str, servable: Servable) -> None:
        """Makes a version available."""
        with self._lock:
            ready = self._ready.setdefault(model, {})
            ready[servable.version] = Handle(servable)
        self.report(model, VersionStatus(servable.version, State.AVAILABLE))

    def retire(self, model: str, version: int) -> Handle:
        """Returns a version that no new request will find."""
        with self._lock:
            handle = self._ready[model].pop(version)
        self.report(model, VersionStatus(version, State.UNLOADING))
        return handle

    def set_labels(self, labels: Mapping[str, Mapping[str, int]]) -> None:
        """Replaces all labels: version by label by model."""
        with self._lock:
            self._labels = {model: dict(named) for model, named in labels.items()}

    def servables(self) -> list[Servable]:
        """Returns the versions that answer requests, of all models."""
        with self._lock:
            return [
                handle.servable
                for ready in self._ready.values()
                for handle in ready.values()
            ]

    def labels(self, model: str) -> dict[str, int]:
        """Returns the version of each label of a model."""
        with self._lock:
            return dict(self._labels.get(model, {}))

    def _find(self, model: str, version: int | None, label: str | None) -> Handle:
        if label is not None:
            named = self._labels.get(model, {})
            if label not in named:
                raise invalid(f"Unrecognized servable version label: {label}")
            version = named[label]
        ready = self._ready.get(model, {})
        handle = ready.get(max(ready, default=0) if version is None else version)
        if handle is not None:
            return handle
        wanted = (
            f"Latest({model})" if version is None else f"Specific({model}, {version})"
        )
        raise ServingError(
            grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}"
        )
