"""Counters, gauges and histograms, their values at a moment, and the sum of several.

`prometheus_client` is no help: it adds `_total` to the names of counters, and TF
Serving's have none.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Labels = tuple[str, ...]
Value = float | list[float]
"""Of a histogram: the count of each bucket, the last without a limit, then the sum."""

_MAX_UNTRUSTED_SERIES = 256
_OTHER = "other"


class Kind(StrEnum):
    """Kinds of a family, named as in Prometheus' text format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Family:
    """Describes the series of one name.

    Attributes:
        name: as TF Serving writes it, like `:tensorflow:serving:request_count`.
        kind: what its values are.
        labels: names of what tells its series apart.
        limits: upper limits of a histogram's buckets, ascending.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    limits: tuple[float, ...] = ()


Snapshot = dict[Family, dict[Labels, Value]]
"""Values of all series at a moment."""


def exponential(scale: float, growth: float, count: int) -> tuple[float, ...]:
    """Returns limits of buckets, each `growth` times the one before."""
    return tuple(scale * growth**power for power in range(count))


class Series:
    """Holds the values of one family; any thread may change them."""

    def __init__(self, family: Family) -> None:
        """Takes the family; it has no series at first."""
        self.family = family
        self._lock = threading.Lock()
        self._values: dict[Labels, Value] = {}
        self._untrusted: set[Labels] = set()

    def add(self, *labels: str, by: float = 1) -> None:
        """Adds to a counter or gauge."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + by  # type: ignore[operator]

    def add_untrusted(self, *labels: str) -> None:
        """Adds 1 to a counter whose labels a client chose.

        Beyond 256 such series they are counted as one, or a client could fill the
        memory with names.
        """
        with self._lock:
            known = labels in self._values or labels in self._untrusted
            if not known and len(self._untrusted) >= _MAX_UNTRUSTED_SERIES:
                labels = (_OTHER,) * len(labels)
            self._untrusted.add(labels)
            self._values[labels] = self._values.get(labels, 0) + 1  # type: ignore[operator]

    def observe(self, value: float, *labels: str) -> None:
        """Counts a value in its bucket of a histogram."""
        bucket = bisect.bisect_left(self.family.limits, value)
        with self._lock:
            counts = self._values.get(labels)
            if not isinstance(counts, list):
                counts = [0.0] * (len(self.family.limits) + 2)
                self._values[labels] = counts
            counts[bucket] += 1
            counts[-1] += value

    def values(self) -> dict[Labels, Value]:
        """Returns a copy of all values."""
        with self._lock:
            return {
                labels: list(value) if isinstance(value, list) else value
                for labels, value in self._values.items()
            }


class WatchedGauge:
    """Reads the values of a gauge when they are asked for."""

    def __init__(self, family: Family) -> None:
        """Takes the family; it has no series until somebody provides them."""
        self.family = family
        self._providers: list[Callable[[], Iterable[tuple[Labels, float]]]] = []

    def watch(self, provider: Callable[[], Iterable[tuple[Labels, float]]]) -> None:
        """Adds what returns labels with their values."""
        self._providers.append(provider)

    def values(self) -> dict[Labels, Value]:
        """Returns what the providers say now; equal labels are summed."""
        summed: dict[Labels, Value] = {}
        for provider in tuple(self._providers):
            for labels, value in provider():
                summed[labels] = summed.get(labels, 0) + value  # type: ignore[operator]
        return summed


def merged(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Returns the sum of all values, series by series."""
    total: Snapshot = {}
    for snapshot in snapshots:
        for family, values in snapshot.items():
            series = total.setdefault(family, {})
            for labels, value in values.items():
                series[labels] = (
                    _sum(series[labels], value) if labels in series else value
                )
    return total


def without_gauges(snapshot: Snapshot) -> Snapshot:
    """Returns what still counts of a process that is gone."""
    return {
        family: values
        for family, values in snapshot.items()
        if family.kind is not Kind.GAUGE
    }


def to_plain(snapshot: Snapshot) -> list[Any]:
    """Returns a snapshot in JSON types."""
    return [
        [family.name, family.kind, family.labels, family.limits, list(values.items())]
        for family, values in snapshot.items()
    ]


def from_plain(plain: Iterable[Any]) -> Snapshot:
    """Returns the snapshot that `to_plain` was given.

    Raises:
        ValueError: it is of another form.
    """
    return {
        Family(name, Kind(kind), tuple(labels), tuple(limits)): {
            tuple(key): value for key, value in values
        }
        for name, kind, labels, limits, values in plain
    }


def _sum(one: Value, other: Value) -> Value:
    if isinstance(one, list) and isinstance(other, list):
        return [a + b for a, b in zip(one, other, strict=True)]
    return one + other  # type: ignore[operator]
