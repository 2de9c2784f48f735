"""The request log: which calls are recorded, and the thread that writes them."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

import grpc

from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.operations.observer import Call
from serving.server.operations.request_log.files import LogFile
from serving.server.operations.request_log.queue import BoundedQueue
from serving.server.operations.request_log.record import Record
from serving.tensor_codec import Array, string_array
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.features import USER_ID
from tfrs_app.contract.impressions import USER_HEADER
from tfrs_app.contract.privacy import UserKey

_LOG = logging.getLogger(__name__)

QUEUE_FULL = "queue_full"
WRITE_FAILED = "write_failed"
_WAIT_S = 1.0
_COMPLAIN_EVERY_S = 60.0


@dataclass(frozen=True)
class Rotation:
    """Says when a file is finished, and how much may wait to be written.

    Attributes:
        max_file_bytes: size at which the next file begins.
        max_file_age_s: age at which a file is shown to readers.
        max_records: that wait for the writing thread; more are dropped.
        max_bytes: that those may take.
    """

    max_file_bytes: int = 64 << 20
    max_file_age_s: float = 300.0
    max_records: int = 1000
    max_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        """Checks that a file can be finished.

        Raises:
            ConfigError: size or age is not above 0.
        """
        if min(self.max_file_bytes, self.max_file_age_s) <= 0:
            raise ConfigError(
                f"request log files of {self.max_file_bytes} bytes and "
                f"{self.max_file_age_s} s cannot be; both must be above 0"
            )


class Counts(Protocol):
    """Is told of records; `ServerMetrics` is one."""

    def logged(self, model: str) -> None:
        """Counts a record that was written."""

    def log_dropped(self, model: str, reason: str, records: int = 1) -> None:
        """Counts records that were lost."""


class RequestLog:
    """Records a share of the answered Predict calls.

    Itself an `Observer`. User ids are recorded as keyed hashes, or not at all without a
    key. Nothing that happens to the log can fail or delay a request.
    """

    def __init__(
        self,
        policies: Mapping[str, LoggingPolicy],
        key: UserKey | None,
        counts: Counts,
        rotation: Rotation | None = None,
    ) -> None:
        """Takes what to record by model name, the key of the hash, and who counts."""
        self._policies = dict(policies)
        self._key = key
        self._counts = counts
        self._rotation = rotation or Rotation()
        self._queue = BoundedQueue(self._rotation.max_records, self._rotation.max_bytes)
        self._files: dict[tuple[Path, LogType], LogFile] = {}
        self._complained = float("-inf")

    def configure(self, policies: Mapping[str, LoggingPolicy]) -> None:
        """Replaces what is recorded, as a reloaded model config asks."""
        self._policies = dict(policies)

    def __call__(self, call: Call) -> None:
        """Records a call, if its turn comes."""
        policy = self._policies.get(call.model)
        if (
            policy is None
            or call.api != "Predict"
            or call.code is not grpc.StatusCode.OK
            or call.version is None
            or random.random() >= policy.sampling_rate
        ):
            return
        if not self._queue.put(policy, self._record(call, call.version, policy)):
            self._counts.log_dropped(call.model, QUEUE_FULL)

    @contextmanager
    def running(self) -> Iterator[RequestLog]:
        """Writes while the context is open; leaving it writes what waits."""
        writer = threading.Thread(target=self._write, name="request-log", daemon=True)
        writer.start()
        try:
            yield self
        finally:
            self._queue.close()
            writer.join()

    def _record(self, call: Call, version: int, policy: LoggingPolicy) -> Record:
        return Record(
            time=time.time(),
            model=call.model,
            version=version,
            signature=call.signature,
            entrypoint=call.entrypoint,
            users=self._users(call.header(USER_HEADER)),
            sampling_rate=policy.sampling_rate,
            inputs={name: self._hidden(name, a) for name, a in call.inputs.items()},
            outputs=call.outputs,
        )

    def _users(self, header: str | None) -> tuple[str, ...]:
        if self._key is None or not header:
            return ()
        return tuple(self._key.pseudonym(unquote(id_)) for id_ in header.split(","))

    def _hidden(self, name: str, array: Array) -> Array:
        """Returns an input as it may be recorded."""
        if name != USER_ID or array.dtype != object:
            return array
        hidden = [self._pseudonym(value) for value in array.ravel()]
        return string_array(hidden).reshape(array.shape)

    def _pseudonym(self, user_id: bytes) -> bytes:
        if self._key is None:
            return b""
        return self._key.pseudonym(user_id.decode(errors="replace")).encode()

    def _write(self) -> None:
        wait_s = min(_WAIT_S, self._rotation.max_file_age_s)
        while True:
            closed = self._queue.closed  # before the last take, not after it
            for policy, record in self._queue.take(wait_s):
                self._append(policy, record)
            if closed:
                break
            self._rotate()
        for file in self._files.values():
            self._close(file)

    def _append(self, policy: LoggingPolicy, record: Record) -> None:
        key = (policy.prefix, policy.type)
        try:
            content = record.encoded(policy.type)
            if key not in self._files:
                self._files[key] = LogFile(*key)
            self._files[key].append(content)
        except Exception as error:  # a full disk, an array without a form: serve on
            self._complain(error)
            self._counts.log_dropped(record.model, WRITE_FAILED)
            return
        self._counts.logged(record.model)

    def _rotate(self) -> None:
        for key, file in list(self._files.items()):
            if (
                file.size >= self._rotation.max_file_bytes
                or file.age_s >= self._rotation.max_file_age_s
            ):
                del self._files[key]
                self._close(file)

    def _close(self, file: LogFile) -> None:
        try:
            file.close()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Logs a failure, at most once a minute: a full disk fails every record."""
        now = time.monotonic()
        if now - self._complained >= _COMPLAIN_EVERY_S:
            self._complained = now
            _LOG.error("the request log drops records: %s", error)
