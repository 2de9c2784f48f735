"""Clocks and memory, read the same way for every rival.

CPU seconds are those of all threads of the process: what a loaded machine changes
least.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

K = 20
REQUESTS = {1: 60, 32: 12}
"""Users a request -> requests measured."""
WARM = 3


class Clock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def taken(self) -> dict[str, float]:
        """Returns the wall and CPU seconds since the start."""
        return {
            "wall_s": round(time.perf_counter() - self._wall, 3),
            "cpu_s": round(time.process_time() - self._cpu, 3),
        }


def peak_mib() -> float:
    """Returns the most memory that this process had so far (RSS); on Linux.

    `getrusage` would count what the process that started this one had at the time.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return round(int(kib) / 1024, 1)


def request_times(
    ask: Callable[[np.ndarray, int], Any], users: np.ndarray
) -> dict[str, dict[str, float]]:
    """Returns median wall and mean CPU milliseconds of a request, by its users."""
    random = np.random.default_rng(0)
    found = {}
    for batch, requests in REQUESTS.items():
        walls, cpus = [], []
        for number in range(WARM + requests):
            some = random.choice(users, size=min(batch, len(users)), replace=False)
            wall, cpu = time.perf_counter(), time.process_time()
            ask(some, K)
            if number >= WARM:
                walls.append((time.perf_counter() - wall) * 1e3)
                cpus.append((time.process_time() - cpu) * 1e3)
        found[str(batch)] = {
            "wall_ms": round(statistics.median(walls), 3),
            "cpu_ms": round(statistics.fmean(cpus), 3),
        }
    return found
