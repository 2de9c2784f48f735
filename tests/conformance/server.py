"""Starts the server under test as a process of its own, by its command line."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

UPSTREAM = "tensorflow_model_server"
EMBEDDED = "embedded"
COMMANDS = {
    UPSTREAM: [UPSTREAM],
    EMBEDDED: [sys.executable, "-m", "serving.server", "--shutdown_grace_seconds=1"],
}
START_S = 240
POLL_S = 0.1


@dataclass(frozen=True)
class Address:
    """Where a server listens, and its process."""

    grpc: str
    rest: str
    pid: int


def engines() -> list[str]:
    """Returns the servers that can be started here."""
    return [EMBEDDED, *([UPSTREAM] if shutil.which(UPSTREAM) else [])]


@contextlib.contextmanager
def server(engine: str, flags: Sequence[str], log: Path) -> Iterator[Address]:
    """Runs a server while the context is open; its output goes to `log`."""
    grpc_port, rest_port = _free_port(), _free_port()
    command = COMMANDS[engine].copy()
    command += [f"--port={grpc_port}", f"--rest_api_port={rest_port}", *flags]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ
        )
        address = Address(
            f"127.0.0.1:{grpc_port}", f"http://127.0.0.1:{rest_port}", process.pid
        )
        try:
            _wait(process, address, log)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def _wait(process: subprocess.Popen[bytes], address: Address, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address.rest}/v1/models")
            return
        time.sleep(POLL_S)
    raise RuntimeError(f"the server did not open its port: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
