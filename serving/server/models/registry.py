"""The served models: which versions there are, their states, and the ready ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

import grpc

from serving.server.errors import ServingError, invalid
from serving.server.models.servable import Servable
from serving.server.models.warmup import warm_up
from serving.server.protocol import UPSTREAM, ProtocolOptions
from tfrs_app.contract.artifacts import MANIFEST, MODEL_EXTRAS, verify_model
from tfrs_app.contract.errors import ServerError

_LOG = logging.getLogger(__name__)

MAX_VERSION = 2**63 - 1


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
    """Loads the models under their base paths and finds them by name and version."""

    def __init__(
        self, base_paths: Mapping[str, Path], protocol: ProtocolOptions = UPSTREAM
    ) -> None:
        """Takes the model names with their base paths, `<base path>/<version>/`."""
        self._base_paths = dict(base_paths)
        self._protocol = protocol
        self._lock = threading.Lock()
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._servables: dict[str, dict[int, Servable]] = {}

    def load(self) -> None:
        """Loads the latest version of every model.

        Raises:
            ServerError: a model has no version, or its latest one cannot be loaded.
        """
        for model, base_path in self._base_paths.items():
            version, folder = latest_version(model, base_path)
            self._load_version(model, version, folder)

    def find(
        self, model: str, version: int | None = None, label: str | None = None
    ) -> Servable:
        """Returns an available version: the given one, else the latest.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for a label (none is
                configured).
        """
        if label is not None:
            raise invalid(f"Unrecognized servable version label: {label}")
        with self._lock:
            ready = self._servables.get(model, {})
            servable = ready.get(max(ready, default=0) if version is None else version)
        if servable is not None:
            return servable
        wanted = (
            f"Latest({model})" if version is None else f"Specific({model}, {version})"
        )
        raise ServingError(
            grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}"
        )

    @contextmanager
    def lease(
        self, model: str, version: int | None = None, label: str | None = None
    ) -> Iterator[Servable]:
        """Yields an available version that stays loaded while the context is open.

        Raises:
            ServingError: see `find`.
        """
        yield self.find(model, version, label)

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

    def close(self) -> None:
        """Unloads everything; calls that still run are cancelled."""
        with self._lock:
            unloaded, self._servables = self._servables, {}
        for model, versions in unloaded.items():
            for version, servable in versions.items():
                self._report(model, VersionStatus(version, State.UNLOADING))
                servable.close()
                self._report(model, VersionStatus(version, State.END))

    def _load_version(self, model: str, version: int, folder: Path) -> None:
        status = VersionStatus(version, State.START)
        self._report(model, status)
        self._report(model, replace(status, state=State.LOADING))
        try:
            servable = load_servable(model, version, folder, self._protocol)
        except Exception as error:  # whatever a foreign SavedModel makes TensorFlow say
            reason = _first_line(error)
            code = grpc.StatusCode.FAILED_PRECONDITION
            self._report(model, VersionStatus(version, State.END, code, reason))
            raise ServerError(
                f"model {model!r} version {version} cannot be loaded: {reason}"
            ) from error
        with self._lock:
            self._servables.setdefault(model, {})[version] = servable
        self._report(model, replace(status, state=State.AVAILABLE))

    def _report(self, model: str, status: VersionStatus) -> None:
        _LOG.info("%s version %s: %s", model, status.version, status.state.name)
        with self._lock:
            self._statuses.setdefault(model, {})[status.version] = status


def load_servable(
    model: str, version: int, folder: Path, protocol: ProtocolOptions = UPSTREAM
) -> Servable:
    """Returns a version, verified against its manifest if it has one, and warmed up.

    Raises:
        ArtifactError: a file is absent or changed, or a warm-up record failed.
    """
    if (folder / MODEL_EXTRAS / MANIFEST).is_file():
        verify_model(folder)
    servable = Servable(model, version, folder)
    try:
        warm_up(
            servable,
            folder,
            iterations=protocol.warmup_iterations,
            check_method=protocol.check_method_name,
        )
    except BaseException:
        servable.close()
        raise
    return servable


def latest_version(model: str, base_path: Path) -> tuple[int, Path]:
    """Returns the highest version under a base path and its folder.

    Folders whose name is not a whole number are passed over: half-written versions
    have such names.

    Raises:
        ServerError: there is no version.
    """
    versions = {}
    if base_path.is_dir():
        for folder in sorted(base_path.iterdir()):
            name = folder.name
            if folder.is_dir() and name.isascii() and name.isdigit():
                versions[int(name)] = folder
    versions = {n: folder for n, folder in versions.items() if n <= MAX_VERSION}
    if not versions:
        raise ServerError(
            f"model {model!r} has no version in {base_path}: expected a folder "
            "named by a whole number that holds saved_model.pb; run export or mend "
            "the path"
        )
    return max(versions.items())


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
