"""The job on a standalone Spark cluster of processes on the loopback (not in CI).

Needs Java and what docs/runners.md installs for `PySparkRunner`.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam.prepare import dataset_identity, prepare
from beam.runners import pipeline_options
from tests.integration.beam import shop
from tests.integration.beam.busy_shop import bytes_of, write_busy_shop
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ConfigError

ROOT = Path(__file__).parents[3]
HOST = "127.0.0.1"
WORKERS = 2
SPLITS = 128  # the runner reads up to 100 splits in one task, these in two
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
NO_REST = "-Dspark.master.rest.enabled=false"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
CONF = {
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": QUICK_START,
    "spark.executor.extraJavaOptions": QUICK_START,
    "spark.executor.memory": "512m",
    "spark.default.parallelism": "3",
    # Each worker reads one of the two halves only if both are there at the start.
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "180s",
}


def absent():
    """What the tests below lack, if anything."""
    for module in ("pyspark", "beam_pyspark_runner"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed; docs/runners.md tells how"
    return None if shutil.which("java") else "java is not installed"


needs_spark = pytest.mark.skipif(absent() is not None, reason=absent() or "")


class SparkCluster:
    """A master and its workers, each worker in a process group with its executors."""

    def __init__(self, folder):
        self.folder = folder
        self.workers = []
        self.master = self._start("master", MASTER, "--port", "0")

    @property
    def address(self):
        return self._wait_for("master", rf"spark://{HOST}:\d+", self.master)

    def heal(self):
        self.workers = [w for w in self.workers if w.poll() is None]
        started = {}
        while len(self.workers) < WORKERS:
            name = f"worker-{time.monotonic_ns()}"
            limits = ["--cores", "1", "--memory", "1g", "--port", "0"]
            place = ["--work-dir", str(self.folder / name)]
            started[name] = self._start(name, WORKER, self.address, *limits, *place)
            self.workers.append(started[name])
        for name in started:
            self._wait_for(name, "Successfully registered", started[name])

    def kill_worker(self):
        """Kills a worker and its executor with `kill -9`."""
        worker = self.workers[0]
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self):
        for process in [*self.workers, self.master]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, name, java_class, *arguments):
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": HOST,
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": f"{QUICK_START} {NO_REST}",
            "PYTHONPATH": str(ROOT),
        }
        listening = ["--host", HOST, "--webui-port", "0"]
        with self._log(name).open("wb") as log:
            return subprocess.Popen(
                [home / "bin" / "spark-class", java_class, *arguments, *listening],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _log(self, name):
        return self.folder / f"{name}.log"

    def _wait_for(self, name, pattern, process):
        """Returns the first match in a log, as soon as there is one."""
        deadline = time.monotonic() + 180
        while (found := re.search(pattern, self._log(name).read_text())) is None:
            assert process.poll() is None, self._log(name).read_text()
            assert time.monotonic() < deadline, self._log(name).read_text()
            time.sleep(0.05)
        return found[0]


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """The config's path, and what the default runner makes of it."""
    folder = tmp_path_factory.mktemp("busy")
    path = write_busy_shop(folder, 320_000, SPLITS)
    return path, bytes_of(prepare(shop.loaded(path, f"artifacts={folder}/made")))


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    cluster = SparkCluster(tmp_path_factory.mktemp("spark"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(started):
    """A cluster with a master and two workers, whatever the last test killed."""
    started.heal()
    return started


@pytest.fixture
def job(busy, cluster, tmp_path):
    """A job in a process of its own, as each keeps its Spark session, and its log."""
    conf = " ".join(f"--conf '{name}={value}'" for name, value in CONF.items())
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": f"--master {cluster.address} {conf} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "SPARK_LOCAL_IP": HOST,
    }
    made = [sys.executable, "-m", "beam.prepare", "-c", busy[0]]
    options = ["--set", f"artifacts={tmp_path}", "--runner=PySparkRunner"]
    log = tmp_path / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*made, *options], cwd=ROOT, env=environment, stdout=written, stderr=written
        )
    yield process, log
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture
def folder(busy, tmp_path):
    """Where the job's dataset will lie."""
    config = shop.loaded(busy[0], f"artifacts={tmp_path}")
    return config.root / "datasets" / dataset_identity(config)


def halves_read(folder):
    """How many splits of each half, which is one Spark task, have been read."""
    pattern = f".{folder.name}.*.partial/.work/events/split-*.json"
    numbers = [int(path.stem.split("-")[1]) for path in folder.parent.glob(pattern)]
    first = sum(number < SPLITS // 2 for number in numbers)
    return first, len(numbers) - first


def ended(process, log):
    assert process.wait(timeout=400) == 0, log.read_text()


@pytest.mark.slow
@needs_spark
def test_a_spark_cluster(busy, job, folder):
    ended(*job)
    verify(folder)
    assert bytes_of(folder) == busy[1]


@pytest.mark.slow
@needs_spark
def test_a_spark_worker_killed_amid_its_work(busy, cluster, job, folder):
    process, log = job
    while not all(halves_read(folder)):
        assert process.poll() is None, log.read_text()
        time.sleep(0.001)
    cluster.kill_worker()
    # Two unfinished tasks on two executors of one core: the dead one had one of them.
    assert max(halves_read(folder)) < SPLITS // 2, "a half was already read"
    ended(process, log)
    assert re.search(r"Lost executor \d on .*: worker lost", log.read_text())
    verify(folder)
    assert bytes_of(folder) == busy[1]


def test_a_missing_runner_names_both_commands(monkeypatch):
    monkeypatch.setitem(sys.modules, "beam_pyspark_runner", None)
    for name in [name for name in sys.modules if name.startswith("beam_pyspark_run")]:
        monkeypatch.setitem(sys.modules, name, None)
    remedy = (
        r"PySparkRunner is not available .*; pip install pyspark==3\.5\.1, "
        r"then pip install --no-deps beam-pyspark-runner==0\.0\.3$"
    )
    with pytest.raises(ConfigError, match=remedy):
        pipeline_options(["--runner=PySparkRunner"])
