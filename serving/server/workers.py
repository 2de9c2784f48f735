"""Several processes that share the ports; one that dies is replaced."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from serving.server.options import ServerOptions
from serving.server.process import Signals
from tfrs_app.contract.errors import ServerError, UserError

_LOG = logging.getLogger(__name__)

_READY = ""
_LOOK_S = 0.2
_FIRST_DELAY_S = 1.0
_MAX_DELAY_S = 60.0
_CALM_S = 60.0

# Spawned, not forked: TensorFlow's and gRPC's threads do not survive a fork.
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass
class _Worker:
    """Holds one worker's process and when to start it again."""

    index: int
    process: Any = None
    pipe: Any = None
    started: float = 0.0
    delay_s: float = _FIRST_DELAY_S
    due: float = field(default=0.0)


def supervise(
    options: ServerOptions, signals: Signals, on_ready: Callable[[], None]
) -> None:
    """Runs the workers until a signal to end; needs no TensorFlow itself.

    Args:
        options: with known ports.
        signals: those of this process; SIGHUP is passed on to the workers.
        on_ready: called once all of them answer.

    Raises:
        ServerError: a worker could not start.
    """
    workers = [_Worker(index) for index in range(options.workers)]
    metrics = tempfile.TemporaryDirectory(prefix="tfrs-app-metrics-")
    operations = replace(options.operations, metrics_folder=Path(metrics.name))
    options = replace(options, operations=operations)
    try:
        for worker in workers:
            _start(worker, options)
        for worker in workers:
            _await_ready(worker, signals)
        if not signals.end:
            on_ready()
        while not signals.end:
            _replace_dead(workers, options)
            _pass_on_reload(workers, signals)
            wait([w.process.sentinel for w in workers if w.due == 0], _LOOK_S)
    finally:
        _stop(workers, options.lifecycle.grace_s)
        metrics.cleanup()


def _start(worker: _Worker, options: ServerOptions) -> None:
    ours, theirs = _CONTEXT.Pipe()
    worker.process = _CONTEXT.Process(
        target=_work,
        args=(options, worker.index, theirs),
        name=f"worker-{worker.index}",
    )
    worker.process.start()
    theirs.close()
    worker.pipe, worker.started, worker.due = ours, time.monotonic(), 0.0


def _await_ready(worker: _Worker, signals: Signals) -> None:
    while not signals.end:
        try:
            if worker.pipe.poll(_LOOK_S):
                problem = worker.pipe.recv()
                if problem != _READY:
                    raise ServerError(problem)
                return
        except EOFError as error:
            raise ServerError(
                f"worker {worker.index} ended while it started; see its log"
            ) from error


def _replace_dead(workers: list[_Worker], options: ServerOptions) -> None:
    """Starts dead workers again, after twice the delay while they keep dying."""
    now = time.monotonic()
    for worker in workers:
        if worker.process.is_alive():
            continue
        if worker.due == 0:
            calm = now - worker.started > _CALM_S
            worker.delay_s = _FIRST_DELAY_S if calm else worker.delay_s
            worker.due = now + worker.delay_s
            worker.delay_s = min(2 * worker.delay_s, _MAX_DELAY_S)
            _LOG.error(
                "worker %s ended with status %s; it starts again",
                worker.index, worker.process.exitcode,
            )  # fmt: skip
        elif now >= worker.due:
            _start(worker, options)


def _pass_on_reload(workers: list[_Worker], signals: Signals) -> None:
    if signals.reload:
        signals.reload = False
        for worker in workers:
            _signal(worker, signal.SIGHUP)


def _stop(workers: list[_Worker], grace_s: float) -> None:
    for worker in workers:
        _signal(worker, signal.SIGTERM)
    deadline = time.monotonic() + 2 * grace_s
    for worker in workers:
        if worker.process is None:
            continue
        worker.process.join(max(deadline - time.monotonic(), 0))
        worker.process.kill()
        worker.process.join()


def _signal(worker: _Worker, number: signal.Signals) -> None:
    if worker.process is not None and worker.process.is_alive():
        os.kill(worker.process.pid, number)


def _work(options: ServerOptions, index: int, pipe: Connection) -> None:
    """Serves in a worker process, on a core of its own: two would share the GIL's."""
    signals = Signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[index % len(cores)]})
    from serving.server.server import started

    gc.freeze()  # as in process.py
    try:
        with started(options) as server:
            pipe.send(_READY)
            threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
            signals.wait_for_end(server.reload)
    except UserError as error:
        pipe.send(str(error))


def _end_with(pipe: Connection) -> None:
    """Ends this process when the supervisor is gone, however it went."""
    try:
        pipe.recv()
    except (EOFError, OSError):
        os._exit(1)
