"""Brings the served versions in line with the configuration and what is on disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from serving.server.errors import ServingError, invalid
from serving.server.models.attempts import Attempts
from serving.server.models.handle import Handle
from serving.server.models.lifecycle import Lifecycle
from serving.server.models.loader import failure, give_memory_back, load_servable
from serving.server.models.model_config import ModelConfig, check_models
from serving.server.models.policy import Load, next_action
from serving.server.models.registry import ModelRegistry, State, VersionStatus
from serving.server.models.servable import Servable
from serving.server.models.versions import fingerprint, versions_in
from tfrs_app.contract.errors import ServerError

_LOG = logging.getLogger(__name__)

Loader = Callable[[str, int, Path], Servable]


class ModelManager:
    """Loads, swaps and unloads versions; one background thread looks for new ones.

    A version is served before the one that it replaces goes, and one that cannot be
    loaded replaces nothing: its reason is in the model's status.
    """

    def __init__(
        self,
        models: Mapping[str, ModelConfig],
        registry: ModelRegistry,
        lifecycle: Lifecycle | None = None,
        loader: Loader = load_servable,
    ) -> None:
        """Takes the models by name, the table to fill, and what loads a version."""
        self._models = dict(models)
        self._registry = registry
        self._lifecycle = lifecycle or Lifecycle()
        self._loader = loader
        self._attempts: dict[str, Attempts] = {}
        self._troubles: dict[str, str] = {}
        self._pass = threading.Lock()  # one look at the models at a time
        self._stop = threading.Event()
        self._poller: threading.Thread | None = None
        self._unloading: list[threading.Thread] = []

    def start(self) -> None:
        """Loads what is there and starts to look for new versions.

        A base path that holds no version yet is waited for.

        Raises:
            ServerError: a base path does not exist, a label names no available version,
                or there are versions but none can be loaded.
        """
        for name, config in self._models.items():
            if not config.base_path.is_dir():
                raise ServerError(
                    f"model {name!r}: base path {config.base_path} is no folder; "
                    "run export or mend the path"
                )
        if self._lifecycle.poll_s >= 0:
            with self._pass, ThreadPoolExecutor() as pool:
                list(pool.map(self._update, self._models))
            self._refuse_if_nothing_loads()
            self._label(self._models)
        if self._lifecycle.poll_s > 0:
            self._poller = threading.Thread(
                target=self._poll, name="models", daemon=True
            )
            self._poller.start()

    @property
    def models(self) -> Mapping[str, ModelConfig]:
        """Returns the models that should be served, by name."""
        return self._models

    def reload(self, models: Mapping[str, ModelConfig]) -> None:
        """Serves these models and no others; returns when new ones are available.

        Raises:
            ServingError: INVALID_ARGUMENT, FAILED_PRECONDITION for a label to a version
                that is not available, or what made a new model's load fail.
        """
        with self._pass:
            self._check_reload(models)
            new = [name for name in models if name not in self._models]
            gone = [name for name in self._models if name not in models]
            self._models = dict(models)
            for name in models:
                self._update(name)
            for name in gone:
                self._unload_all(name)
            for name in new:
                self._check_loaded(name)
            try:
                self._label(models)
            except ServerError as error:
                raise ServingError(
                    grpc.StatusCode.FAILED_PRECONDITION, str(error)
                ) from error

    def close(self) -> None:
        """Unloads everything, once calls in progress have ended or had their grace."""
        self._stop.set()
        if self._poller is not None:
            self._poller.join()
        with self._pass:
            for name in self._models:
                self._unload_all(name)
        for thread in self._unloading:
            thread.join(self._lifecycle.grace_s)

    def _poll(self) -> None:
        while not self._stop.wait(self._lifecycle.poll_s):
            with self._pass:
                for name in list(self._models):
                    if self._stop.is_set():
                        return
                    try:
                        self._update(name)
                    except Exception:  # the next look may be luckier; others must go on
                        _LOG.exception("looking for versions of model %r failed", name)

    def _update(self, name: str) -> None:
        """Takes every step towards the versions that the model should serve."""
        while not self._stop.is_set():
            found = self._versions(name)
            if found is None:
                return
            attempts = self._attempts_at(name)
            attempts.keep_only(found)
            usable = [v for v, folder in found.items() if attempts.may_try(v, folder)]
            policy = self._models[name].policy
            aspired = policy.choose(usable)
            if not aspired and (self._lifecycle.keep_last or policy.choose(found)):
                return  # nothing that could take over: what is served stays
            action = next_action(aspired, self._registry.ready(name))
            if action is None:
                return
            if isinstance(action, Load):
                self._load(name, action.version, found[action.version])
            else:
                self._unload(name, action.version)

    def _versions(self, name: str) -> dict[int, Path] | None:
        """Returns the versions on disk, or None if what is served must stay."""
        base_path = self._models[name].base_path
        try:
            found = versions_in(base_path)
        except OSError as error:
            self._trouble(name, f"base path {base_path} cannot be read: {error}")
            return None
        if not found and self._lifecycle.keep_last:
            self._trouble(name, f"base path {base_path} holds no version")
            return None
        self._troubles.pop(name, None)
        return found

    def _trouble(self, name: str, problem: str) -> None:
        if self._troubles.get(name) != problem:  # once, not at every look
            _LOG.warning("model %r: %s; what is loaded stays", name, problem)
        self._troubles[name] = problem

    def _load(self, name: str, version: int, folder: Path) -> None:
        attempts, files = self._attempts_at(name), fingerprint(folder)
        for state in (State.START, State.LOADING):
            self._registry.report(name, VersionStatus(version, state))
        try:
            servable = self._loader(name, version, folder)
        except Exception as error:  # whatever a foreign SavedModel makes TensorFlow say
            attempts.failed(version, files)
            code, reason = failure(error)
            self._registry.report(name, VersionStatus(version, State.END, code, reason))
        else:
            attempts.succeeded(version)
            self._registry.add(name, servable)

    def _attempts_at(self, name: str) -> Attempts:
        lifecycle = self._lifecycle
        return self._attempts.setdefault(
            name, Attempts(lifecycle.max_retries, lifecycle.retry_s)
        )

    def _unload(self, name: str, version: int) -> None:
        """Stops giving a version out and frees it on a thread of its own."""
        handle = self._registry.retire(name, version)
        thread = threading.Thread(
            target=self._free, args=(name, handle), name="unload", daemon=True
        )
        self._unloading = [t for t in self._unloading if t.is_alive()] + [thread]
        thread.start()

    def _free(self, name: str, handle: Handle) -> None:
        handle.close(self._lifecycle.grace_s if self._stop.is_set() else None)
        version = handle.servable.version
        self._registry.report(name, VersionStatus(version, State.END))
        give_memory_back()

    def _unload_all(self, name: str) -> None:
        for version in self._registry.ready(name):
            self._unload(name, version)

    def _refuse_if_nothing_loads(self) -> None:
        if any(map(self._registry.ready, self._models)):
            return
        for name in self._models:
            if status := self._broken(name):
                raise ServerError(_cannot_load(name, status))

    def _broken(self, name: str) -> VersionStatus | None:
        for version in self._attempts_at(name).broken():
            return self._registry.status(name, version)[0]
        return None

    def _check_reload(self, models: Mapping[str, ModelConfig]) -> None:
        for name, config in models.items():
            before = self._models.get(name)
            if before is not None and before.platform != config.platform:
                raise ServingError(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"Illegal to change a model's platform. For model {name} platform "
                    f"was {before.platform} and new platform requested is "
                    f"{config.platform}",
                )
        try:
            check_models(models)
        except ServerError as error:
            raise invalid(str(error)) from error

    def _check_loaded(self, name: str) -> None:
        if self._registry.ready(name):
            return
        if status := self._broken(name):
            raise ServingError(status.code, _cannot_load(name, status))
        raise ServingError(
            grpc.StatusCode.NOT_FOUND,
            f"model {name} has no version under its base path",
        )

    def _label(self, models: Mapping[str, ModelConfig]) -> None:
        """Sets all labels, or none if one names a version that is not available.

        Raises:
            ServerError: names the label and the version.
        """
        for name, config in models.items():
            ready = self._registry.ready(name)
            for label, version in config.labels.items():
                if version not in ready and not self._may_wait(name, label):
                    raise ServerError(
                        f"model {name}: label {label!r} names version {version}, which "
                        "is not currently available for inference"
                    )
        self._registry.set_labels({n: config.labels for n, config in models.items()})

    def _may_wait(self, name: str, label: str) -> bool:
        """Tells whether a label may name a version that is not available: a new one."""
        known = self._registry.labels(name)
        return self._lifecycle.labels_may_wait and label not in known


def _cannot_load(name: str, status: VersionStatus) -> str:
    return f"model {name!r} version {status.version} cannot be loaded: {status.message}"
