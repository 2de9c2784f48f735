"""Starts the server as a user does, and keeps asking it."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import httpx

START_S = 180


class Running:
    """A server process and where it answers."""

    def __init__(self, process, line):
        self.process = process
        self.grpc = line.split("gRPC ")[1].split(",")[0].strip()
        self.rest = line.split("REST ")[1].split(",")[0].strip()

    def url(self, model="m"):
        return f"{self.rest}/v1/models/{model}"

    def ask(self, signature="serving_default", timeout=60):
        body = {"signature_name": signature, "instances": [1.0]}
        return httpx.post(f"{self.url()}:predict", json=body, timeout=timeout)

    def versions(self):
        statuses = httpx.get(self.url()).json()["model_version_status"]
        return {s["version"]: s["state"] for s in statuses}


def command(*flags):
    return subprocess.Popen(
        [sys.executable, "-m", "serving.server", *map(str, flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


@contextmanager
def served(*flags):
    process = command("--port=auto", "--rest_api_port=auto", *flags)
    drained = []
    reader = threading.Thread(target=lambda: drained.append(process.stderr.read()))
    reader.start()
    try:
        line = process.stdout.readline()
        assert line.startswith("serving "), drained or reader.join() or drained
        yield Running(process, line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()


@contextmanager
def load(server, threads=3):
    """Keeps asking; yields a Counter of answers that is whole once the context ends."""
    seen, stop, lock = Counter(), threading.Event(), threading.Lock()

    def ask():
        with httpx.Client(timeout=60) as client:
            while not stop.is_set():
                answer = client.post(
                    f"{server.url()}:predict", json={"instances": [2.0]}
                )
                told = str(answer.json().get("predictions", answer.text))
                with lock:
                    seen[answer.status_code, told] += 1

    askers = [threading.Thread(target=ask) for _ in range(threads)]
    for asker in askers:
        asker.start()
    try:
        yield seen
    finally:
        stop.set()
        for asker in askers:
            asker.join()


def publish(source, base, version):
    """Puts a copy of a saved version in place by one rename."""
    shutil.copytree(source, base / f".{version}.partial")
    (base / f".{version}.partial").rename(base / str(version))


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.05)
