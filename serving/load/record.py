"""What became of each request, and its sums."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)

Numbers = NDArray[np.float64]


class Record:
    """Holds times of every request, in seconds."""

    def __init__(self, requests: int) -> None:
        """Takes how many there will be."""
        self.due_s: Numbers = np.zeros(requests)
        self.late_s: Numbers = np.zeros(requests)
        self.latency_s: Numbers = np.zeros(requests)
        self._failed: dict[int, str] = {}
        self._words: dict[str, str] = {}

    def add(
        self,
        number: int,
        due_s: float,
        late_s: float,
        latency_s: float,
        failure: str,
        words: str = "",
    ) -> None:
        """Notes a request that has ended.

        Args:
            number: of the request, from 0.
            due_s: when it was due, from the start.
            late_s: how much later it left.
            latency_s: from when it was due to its end.
            failure: the class of its error, empty for none.
            words: of the error.
        """
        self.due_s[number] = due_s
        self.late_s[number] = late_s
        self.latency_s[number] = latency_s
        if failure:
            self._failed[number] = failure
            self._words.setdefault(failure, words)

    @property
    def failures(self) -> dict[str, int]:
        """Returns how many requests failed, by class of error, the most first."""
        return dict(Counter(self._failed.values()).most_common())

    def answered(self) -> NDArray[np.bool_]:
        """Returns which requests have an answer, `[requests]`."""
        told = np.ones(len(self.due_s), bool)
        told[list(self._failed)] = False
        return told

    def summary(self) -> dict[str, Any]:
        """Returns the sums; latencies are of answered requests, in ms."""
        told = self.answered()
        span_s = float((self.due_s + self.latency_s).max())
        return {
            "requests": len(told),
            "answered": int(told.sum()),
            "answered_per_s": float(told.sum() / span_s),
            "failures": self.failures,
            "first_words": self._words,
            "latency_ms": percentiles(self.latency_s[told]),
            "late_ms": percentiles(self.late_s),
        }

    def by_interval(self, interval_s: float) -> list[dict[str, Any]]:
        """Returns the same for the requests due in each interval."""
        told = self.answered()
        place = (self.due_s // interval_s).astype(np.int64)
        return [
            {
                "from_s": float(number * interval_s),
                "requests": int(inside.sum()),
                "failed": int((inside & ~told).sum()),
                "latency_ms": percentiles(self.latency_s[inside & told]),
            }
            for number in range(int(place.max()) + 1)
            for inside in (place == number,)
        ]


def percentiles(seconds: Numbers) -> dict[str, float]:
    """Returns percentiles in ms, each a value that occurred; empty of no values."""
    if not len(seconds):
        return {}
    values = np.percentile(seconds * 1e3, PERCENTILES, method="higher")
    named = zip(PERCENTILES, values, strict=True)
    found = {f"p{percent:g}": float(value) for percent, value in named}
    return {**found, "max": float(seconds.max() * 1e3)}
