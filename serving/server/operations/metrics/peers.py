"""Sums the metrics of several worker processes through files in a private folder.

Each worker writes its snapshot there every second; the one that is scraped adds the
others' to its own. What a dead worker counted stays in the sums, or a counter would
fall and a rate computed over the fall would leap; its gauges are left out.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import orjson

from serving.server.operations.metrics.exposition import exposition
from serving.server.operations.metrics.families import (
    Snapshot,
    from_plain,
    merged,
    to_plain,
    without_gauges,
)
from serving.server.operations.metrics.server_metrics import ServerMetrics

_LOG = logging.getLogger(__name__)

_WRITE_EVERY_S = 1.0
_SNAPSHOT = ".json"
_LOCK = ".lock"


class Metrics(ServerMetrics):
    """Holds this process's metrics and knows those of its fellow workers."""

    def __init__(self, peers: Path | None = None) -> None:
        """Takes the folder that the workers share; None: there are no others."""
        super().__init__()
        self._peers = peers
        self._name = uuid4().hex
        self._stop = threading.Event()

    @contextmanager
    def shared(self) -> Iterator[Metrics]:
        """Tells the other workers of this one while the context is open."""
        if self._peers is None:
            yield self
            return
        self._peers.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._peers / f"{self._name}{_LOCK}").open("w") as alive:
            # The kernel gives the lock back however the process ends.
            fcntl.flock(alive, fcntl.LOCK_EX)
            self._write(self._peers)
            writer = threading.Thread(
                target=self._write_often, name="metrics", daemon=True
            )
            writer.start()
            try:
                yield self
            finally:
                self._stop.set()
                writer.join()
                self._write(self._peers)

    def page(self) -> str:
        """Returns the sums over all workers in Prometheus' text format."""
        others = self._others(self._peers) if self._peers is not None else ()
        return exposition(merged([self.snapshot(), *others]))

    def _write_often(self) -> None:
        while not self._stop.wait(_WRITE_EVERY_S):
            try:
                self._write(self._peers)  # type: ignore[arg-type]
            except OSError:  # a full disk must not end the counting
                _LOG.exception("cannot write the metrics for the other workers")

    def _write(self, folder: Path) -> None:
        path = folder / f"{self._name}{_SNAPSHOT}"
        partial = path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(to_plain(self.snapshot())))
        partial.replace(path)

    def _others(self, folder: Path) -> Iterator[Snapshot]:
        for path in sorted(folder.glob(f"*{_SNAPSHOT}")):
            if path.stem == self._name:
                continue
            snapshot = from_plain(orjson.loads(path.read_bytes()))
            alive = _is_locked(path.with_suffix(_LOCK))
            yield snapshot if alive else without_gauges(snapshot)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
