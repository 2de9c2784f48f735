"""A Dask cluster of processes on the loopback, whose members a test may kill."""

import json
import subprocess
import sys
import time
from pathlib import Path

from distributed import Client

ROOT = Path(__file__).parents[3]
WORKERS = 2


class Cluster:
    """A scheduler and its workers; `heal` starts whoever is missing."""

    def __init__(self, folder):
        self.folder = folder
        self.scheduler = None
        self.workers = {}

    @property
    def address(self):
        return json.loads(self._file.read_text())["address"]

    @property
    def _file(self):
        return self.folder / "scheduler.json"

    def heal(self, workers=WORKERS):
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.stop()
            self._file.unlink(missing_ok=True)
            self.scheduler = self._start("scheduler", "--port", "0")
            wait_for(self._is_up, self.scheduler)
        self.workers = {n: w for n, w in self.workers.items() if w.poll() is None}
        while len(self.workers) < workers:
            number = time.monotonic_ns()
            worker = self._start(
                "worker", "--name", str(number), "--nthreads", "1", "--no-nanny"
            )
            self.workers[number] = worker
        if workers:
            with self.client() as client:
                client.wait_for_workers(workers, timeout=180)

    def client(self):
        return Client(self.address, set_as_default=False)

    def worker_at(self, client, address):
        """The process of the worker that the scheduler knows by its address."""
        worker = client.scheduler_info(n_workers=-1)["workers"][address]
        return self.workers[int(worker["name"])]

    def stop(self):
        for process in [*self.workers.values(), self.scheduler]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.workers = {}

    def _is_up(self):
        try:
            return bool(self.address)
        except (FileNotFoundError, json.JSONDecodeError):  # not written to its end
            return False

    def _start(self, *arguments):
        file = ["--scheduler-file", str(self._file), "--host", "127.0.0.1"]
        command = [sys.executable, "-m", "dask", *arguments, *file, "--no-dashboard"]
        log = (self.folder / f"{arguments[0]}.log").open("ab")
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


def wait_for(holds, process):
    """Waits until something holds, as long as a process lives."""
    deadline = time.monotonic() + 180
    while not holds():
        assert process.poll() is None, f"{process.args} ended"
        assert time.monotonic() < deadline
        time.sleep(0.01)
