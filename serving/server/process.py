"""Serves until a signal says otherwise: in this process, or in several workers."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

from serving.server.options import Addresses, ServerOptions
from serving.server.ports import reserved

_LOG = logging.getLogger(__name__)

_KILLED = 130

# TensorFlow's own allocator for large tensors keeps what it once had: after seven swaps
# the demo's model took 2.2 GiB with it and 1.7 without, at the same speed.
_SYSTEM_ALLOCATOR = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"


class Signals:
    """Notes SIGTERM, SIGINT (end) and SIGHUP (read the config again).

    A second signal to end does not wait for calls in progress. Must be made in the
    main thread.
    """

    def __init__(self) -> None:
        self.changed = threading.Event()
        self.end = False
        self.reload = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_end)
        signal.signal(signal.SIGHUP, self._on_reload)

    def wait_for_end(self, reload: Callable[[], None]) -> None:
        """Returns at the first signal to end; calls `reload` at each SIGHUP."""
        while not self.end:
            self.changed.wait()
            self.changed.clear()
            if self.reload:
                self.reload = False
                reload()

    def _on_end(self, *_: object) -> None:
        if self.end:
            os._exit(_KILLED)
        self.end = True
        self.changed.set()

    def _on_reload(self, *_: object) -> None:
        self.reload = True
        self.changed.set()


def serve(options: ServerOptions) -> None:
    """Serves until SIGINT or SIGTERM; must run in the main thread.

    Raises:
        ServerError: no model can be loaded or a port is taken.
    """
    os.environ.setdefault(_SYSTEM_ALLOCATOR, "1")
    signals = Signals()
    with reserved(options) as known:  # before TensorFlow's seconds of import
        if known.workers > 1:
            from serving.server.workers import supervise

            supervise(known, signals, lambda: announce(known))
        else:
            _serve_here(known, signals)


def _serve_here(options: ServerOptions, signals: Signals) -> None:
    from serving.server.server import started

    gc.freeze()  # TensorFlow's million objects; each full collection took 0.2 s
    with started(options) as server:
        announce(options)
        signals.wait_for_end(server.reload)


def announce(options: ServerOptions) -> None:
    """Prints where the server listens."""
    addresses = Addresses.of(options)
    parts = [
        f"{protocol} {address}"
        for protocol, address in (("gRPC", addresses.grpc), ("REST", addresses.rest))
        if address
    ]
    if options.grpc_socket_path:
        parts.append(f"gRPC unix:{options.grpc_socket_path}")
    sys.stdout.write(f"serving {', '.join(options.models)}: {', '.join(parts)}\n")
    sys.stdout.flush()
