"""A rival in a process of its own, which answers when it is asked to.

TensorFlow and faiss bring OpenMP runtimes that do not bear each other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index_rivals.peers import Search, Settings, faiss_settings, hnswlib_settings

EXACT, SCANN = "exact", "scann"
HNSWLIB, FAISS, FAISS_FINE = "hnswlib", "faiss IVF", "faiss IVF, 4 x lists"
PEERS = (HNSWLIB, FAISS, FAISS_FINE)
RIVALS = (EXACT, SCANN, *PEERS)
RECALL = 0.98


@dataclass
class Rival:
    """Talks to the process of one rival."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, name: str, folder: Path, threads: int) -> Rival:
        """Starts a process that builds the rival from a folder's arrays."""
        command = [sys.executable, "-m", "index_rivals.process"]
        return cls(
            subprocess.Popen(
                [*command, name, str(folder), str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[1],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        )

    def answer(self) -> Any:
        """Waits for the process' next answer.

        Raises:
            SystemExit: it ended.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("> "):
                return json.loads(line[2:])
        raise SystemExit(self.process.wait() or 1)

    def times_ms(self, batch: int, calls: int) -> list[float]:
        """Returns the milliseconds of some calls."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{batch} {calls}\n")
        self.process.stdin.flush()
        times: list[float] = self.answer()
        return times

    def end(self) -> None:
        """Ends the process."""
        self.process.communicate()


def main() -> None:
    """Builds, tells the setting that finds enough, then measures as it is asked."""
    name, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    items, queries, best = (
        np.load(folder / f"{what}.npy") for what in ("items", "queries", "best")
    )
    cores = sorted(os.sched_getaffinity(0))[:threads]
    if name in (EXACT, SCANN):  # TensorFlow counts the cores when it starts
        os.sched_setaffinity(0, cores)
    began = time.perf_counter()
    settings = settings_of(name, items, queries, threads)
    build_s = time.perf_counter() - began
    os.sched_setaffinity(0, cores)
    setting, found, search = cheapest(settings, queries, best)
    tell({"setting": setting, "recall": found, "build_s": build_s})
    asked = 0
    for line in sys.stdin:
        batch, calls = map(int, line.split())
        times = []
        for number in range(calls + 1):
            start = asked % (len(queries) - batch + 1)
            asked += batch
            some = queries[start : start + batch]
            began = time.perf_counter()
            search(some)
            if number:  # the first one wakes the caches
                times.append((time.perf_counter() - began) * 1e3)
        tell(times)


def settings_of(
    name: str, items: np.ndarray, queries: np.ndarray, threads: int
) -> Settings:
    """Builds a rival."""
    if name == HNSWLIB:
        return hnswlib_settings(items, threads)
    if name in (FAISS, FAISS_FINE):
        return faiss_settings(items, threads, 4 if name == FAISS_FINE else 1)
    from index_rivals.ours import exact_settings, scann_settings

    return exact_settings(items) if name == EXACT else scann_settings(items, queries)


def cheapest(
    settings: Settings, queries: np.ndarray, best: np.ndarray
) -> tuple[str, float, Search]:
    """Returns the first setting that finds enough, its recall and its search.

    Raises:
        SystemExit: none does.
    """
    found = 0.0
    for setting, search in settings:
        rows = np.concatenate(
            [search(queries[i : i + 32]) for i in range(0, len(queries), 32)]
        )
        pairs = zip(best, rows, strict=True)
        found = float(np.mean([np.isin(b, f).mean() for b, f in pairs]))
        if found >= RECALL:
            return setting, found, search
    raise SystemExit(f"{settings[-1][0]} finds {found:.4f}")


def tell(answer: Any) -> None:
    """Writes an answer; what libraries print is not marked so."""
    sys.stdout.write(f"> {json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
