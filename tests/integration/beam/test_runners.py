"""The same job on every engine that runs here: the same bytes, or nothing."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from beam.prepare import dataset_identity, prepare
from tests.integration.beam import shop
from tests.integration.beam.busy_shop import bytes_of, write_busy_shop
from tests.integration.beam.cluster import ROOT, Cluster, wait_for
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ServerError

SPLITS = 16
WORKER = f"{sys.executable} -m apache_beam.runners.worker.sdk_worker_main"
SUBPROCESS = "beam:env:harness_subprocess_python:v1"


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """The config's path, and what the default runner makes of it."""
    folder = tmp_path_factory.mktemp("busy")
    path = write_busy_shop(folder, 320_000, SPLITS)
    return path, bytes_of(prepare(shop.loaded(path, f"artifacts={folder}/made")))


@pytest.fixture(scope="module")
def job_service(tmp_path_factory):
    """The address of Beam's local job service."""
    folder = tmp_path_factory.mktemp("job_service")
    module = "apache_beam.runners.portability.local_job_service_main"
    port = folder / "port"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--port_file", str(port)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    wait_for(port.exists, process)
    yield f"127.0.0.1:{port.read_text()}"
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(started):
    """A cluster with a scheduler and two workers, whatever the last test killed."""
    started.heal()
    return started


def on_dask(cluster):
    return ["--runner=DaskRunner", f"--dask_client_address={cluster.address}"]


def through(job_service, environment):
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={job_service}",
        f"--environment_type={environment}",
    ]


def made(busy, folder, flags):
    dataset = prepare(shop.loaded(busy[0], f"artifacts={folder}"), flags)
    verify(dataset)
    return bytes_of(dataset)


@pytest.mark.slow
def test_processes_of_the_local_runner(busy, tmp_path):
    mode = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    assert made(busy, tmp_path, mode) == busy[1]


def test_loopback_workers_of_a_job_service(busy, tmp_path, job_service):
    assert made(busy, tmp_path, through(job_service, "LOOPBACK")) == busy[1]


@pytest.mark.slow
def test_subprocess_workers_of_a_job_service(busy, tmp_path, job_service):
    flags = [*through(job_service, SUBPROCESS), f"--environment_config={WORKER}"]
    assert made(busy, tmp_path, flags) == busy[1]


@pytest.mark.slow
def test_a_dask_cluster(busy, tmp_path, cluster):
    assert made(busy, tmp_path, on_dask(cluster)) == busy[1]


@pytest.fixture
def running(busy, tmp_path, cluster):
    """A job on the cluster that has read some of its events, and its folder."""
    config = shop.loaded(busy[0], f"artifacts={tmp_path}")
    folder = config.root / "datasets" / dataset_identity(config)
    with ThreadPoolExecutor() as pool:
        job = pool.submit(prepare, config, on_dask(cluster))
        while not splits_read(folder):
            assert not job.done(), job.exception()
            time.sleep(0.001)
        yield job, folder


def splits_read(folder):
    pattern = f".{folder.name}.*.partial/.work/events/split-*.json"
    return len(list(folder.parent.glob(pattern)))


def kill_a_busy_worker(cluster):
    """Kills a worker with `kill -9` that is frozen amid a task when it dies."""
    with cluster.client() as client:
        for address in client.scheduler_info(n_workers=-1)["workers"]:
            worker = cluster.worker_at(client, address)
            worker.send_signal(signal.SIGSTOP)
            tasks = client.processing()[address]
            if any("apply_dofn_to_bundle" in str(task) for task in tasks):
                worker.kill()
                worker.wait()
                return tasks
            worker.send_signal(signal.SIGCONT)
    return ()


@pytest.mark.slow
def test_a_dask_worker_killed_amid_its_work(busy, cluster, running):
    job, folder = running
    assert kill_a_busy_worker(cluster), "no worker was at work"
    assert splits_read(folder) < SPLITS, "the events were already read"
    assert job.result() == folder
    verify(folder)
    assert bytes_of(folder) == busy[1]
    with cluster.client() as client:
        assert len(client.scheduler_info(n_workers=-1)["workers"]) == 1


@pytest.mark.slow
def test_a_dask_scheduler_killed_amid_the_work_publishes_nothing(cluster, running):
    job, folder = running
    cluster.scheduler.kill()
    assert splits_read(folder) < SPLITS, "the events were already read"
    with pytest.raises(ServerError, match="went away before the work was done"):
        job.result()
    assert not folder.exists()


def test_a_dask_scheduler_without_workers_is_an_error(busy, tmp_path):
    lonely = Cluster(tmp_path)
    lonely.heal(workers=0)
    try:
        with pytest.raises(ServerError, match="has no worker"):
            made(busy, tmp_path, on_dask(lonely))
    finally:
        lonely.stop()
