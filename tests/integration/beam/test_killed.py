import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.prepare import dataset_identity, prepare
from tests.integration.beam import shop
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError

ROOT = Path(__file__).parents[3]
ROWS = 200_000


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The config's path of a shop with many events, and its dataset's bytes."""
    folder = tmp_path_factory.mktemp("shop")
    path = shop.write_shop(folder)
    random = np.random.default_rng(3)
    moments = np.datetime64("2020-01-01", "s") + random.integers(0, 30 * 86400, ROWS)
    events = {
        "customer": random.integers(0, 2000, ROWS),
        "product": random.integers(95, 125, ROWS),
        "moment": moments,
        "kind": random.choice(["view", "purchase"], ROWS),
        "quantity": np.ones(ROWS, dtype=np.int64),
        "paid": random.random(ROWS),
        "receipt": random.integers(0, 9999, ROWS),
        "store": random.choice(["north", "south"], ROWS),
        "wait": random.random(ROWS),
    }
    pq.write_table(pa.table(events), folder / "events.parquet", row_group_size=50_000)
    elsewhere = shop.loaded(path, f"artifacts={folder}/undisturbed")
    return path, bytes_of(prepare(elsewhere))


def bytes_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.mark.parametrize(
    "moment",
    [
        ".work/items/shard-00000.json",
        ".work/events/*",
        ".work/shards/sequences/part-00001-of-00003.tfrecord",
    ],
)
def test_a_killed_job_leaves_no_dataset_and_a_rerun_succeeds(
    undisturbed, tmp_path, moment
):
    path, expected = undisturbed
    overrides = (f"artifacts={tmp_path}",)
    config = shop.loaded(path, *overrides)
    folder = config.root / "datasets" / dataset_identity(config)
    command = [
        sys.executable,
        "-m",
        "beam.prepare",
        "-c",
        str(path),
        "--set",
        *overrides,
    ]
    job = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    pattern = f".{folder.name}.*.partial"
    deadline = time.monotonic() + 60
    while not any(folder.parent.glob(f"{pattern}/{moment}")) and job.poll() is None:
        assert time.monotonic() < deadline, "the job does not get so far"
        time.sleep(0.001)
    job.kill()
    _, errors = job.communicate()
    assert job.returncode == -signal.SIGKILL, errors.decode()
    (staging,) = folder.parent.glob(pattern)
    assert any(staging.iterdir())
    for left in (folder, staging):
        with pytest.raises(ArtifactError, match="holds no manifest"):
            verify(left)
    assert prepare(config) == folder
    verify(folder)
    assert not staging.exists()
    assert bytes_of(folder) == expected
