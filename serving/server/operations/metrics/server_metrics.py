"""The server's metrics: TF Serving's names where it has them, `tfrs_app:` elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import grpc

from serving.server.operations.metrics.families import (
    Family,
    Kind,
    Labels,
    Series,
    Snapshot,
    WatchedGauge,
    exponential,
)
from serving.server.operations.observer import Call

_US = 1_000_000
_UPSTREAM = ":tensorflow:serving:"
_OURS = "tfrs_app:"
_RUNTIME = "TF1"  # what TF Serving calls a session
_LATENCY_US = exponential(10, 1.8, 33)  # to 25 minutes
_QUEUING_US = exponential(100, 1.2, 52)  # to a second
# TF Serving counts no other call.
_COUNTED = frozenset({"Predict", "Classify", "Regress"})


class ServerMetrics:
    """Counts calls, loads, queues and log records of this process.

    Itself an `Observer`: it is told of every call.
    """

    def __init__(self) -> None:
        """Makes every family, none with a series."""
        self._requests = _series(_UPSTREAM, "request_count", "model_name", "status")
        self._latency = _histogram(
            "request_latency", _LATENCY_US, "model_name", "API", "entrypoint"
        )
        self._runtime = _histogram(
            "runtime_latency", _LATENCY_US, "model_name", "API", "runtime"
        )
        self._warmup = _histogram(
            "model_warmup_latency", _LATENCY_US, "model_path", "status"
        )
        self._queuing = _histogram(
            "batching_session/queuing_latency", _QUEUING_US, "thread_pool_name"
        )
        self._logged = _series(
            _UPSTREAM, "request_log_count", "model_name", "status_code"
        )
        self._calls = _series(
            _OURS,
            "call_count",
            *("model_name", "version", "signature", "API", "entrypoint", "code"),
        )
        self._dropped = _series(
            _OURS, "request_log_dropped_count", "model_name", "reason"
        )
        self._states = _gauge("model_version_state", "model_name", "version", "state")
        self._queue_depth = _gauge("queue_depth", "queue")
        self._all: tuple[Series | WatchedGauge, ...] = (
            *(self._requests, self._latency, self._runtime, self._warmup),
            *(self._queuing, self._logged, self._calls, self._dropped),
            *(self._states, self._queue_depth),
        )

    def __call__(self, call: Call) -> None:
        """Counts a call that has ended."""
        answered = call.code is grpc.StatusCode.OK
        version = "" if call.version is None else str(call.version)
        labels = (call.model, version, call.signature, call.api, call.entrypoint)
        # Names of an answered call are a model's; others may be a client's invention.
        if answered:
            self._calls.add(*labels, call.code.name)
        else:
            self._calls.add_untrusted(*labels, call.code.name)
        if call.api not in _COUNTED:
            return
        if not answered:
            self._requests.add_untrusted(call.model, call.code.name)
            return
        self._requests.add(call.model, call.code.name)
        self._latency.observe(call.seconds * _US, call.model, call.api, call.entrypoint)
        if call.runtime_seconds is not None:
            self._runtime.observe(
                call.runtime_seconds * _US, call.model, call.api, _RUNTIME
            )

    def warmed_up(self, model_path: str, code: grpc.StatusCode, seconds: float) -> None:
        """Counts the warm-up of a version."""
        self._warmup.observe(seconds * _US, model_path, code.name)

    def queued(self, queue: str, seconds: float) -> None:
        """Counts how long a request waited in a batching queue."""
        self._queuing.observe(seconds * _US, queue)

    def watch_queues(self, depths: Callable[[], Iterable[tuple[str, int]]]) -> None:
        """Shows what waits in each batching queue, read at each scrape."""
        self._queue_depth.watch(
            lambda: [((queue,), depth) for queue, depth in depths()]
        )

    def watch_states(
        self, states: Callable[[], Iterable[tuple[str, int, str]]]
    ) -> None:
        """Shows model, version and state of all versions, read at each scrape."""

        def current() -> Iterable[tuple[Labels, float]]:
            return [((name, str(n), state), 1) for name, n, state in states()]

        self._states.watch(current)

    def logged(self, model: str) -> None:
        """Counts a record that stands in the request log."""
        self._logged.add(model, grpc.StatusCode.OK.name)

    def log_dropped(self, model: str, reason: str, records: int = 1) -> None:
        """Counts records that the request log lost."""
        code = grpc.StatusCode.RESOURCE_EXHAUSTED.name
        self._logged.add(model, code, by=records)
        self._dropped.add(model, reason, by=records)

    def snapshot(self) -> Snapshot:
        """Returns all values as they are now."""
        return {series.family: series.values() for series in self._all}


def _series(prefix: str, name: str, *labels: str) -> Series:
    return Series(Family(prefix + name, Kind.COUNTER, labels))


def _histogram(name: str, limits: tuple[float, ...], *labels: str) -> Series:
    full = _UPSTREAM + name.replace("/", ":")
    return Series(Family(full, Kind.HISTOGRAM, labels, limits))


def _gauge(name: str, *labels: str) -> WatchedGauge:
    return WatchedGauge(Family(_OURS + name, Kind.GAUGE, labels))
