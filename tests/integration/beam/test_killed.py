import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam.prepare import dataset_identity, prepare
from tests.integration.beam import shop
from tests.integration.beam.busy_shop import bytes_of, write_busy_shop
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The config's path of a shop with many events, and its dataset's bytes."""
    folder = tmp_path_factory.mktemp("shop")
    path = write_busy_shop(folder, 80_000, 4)
    elsewhere = shop.loaded(path, f"artifacts={folder}/undisturbed")
    return path, bytes_of(prepare(elsewhere))


@pytest.mark.parametrize(
    "moment",
    [
        ".work/items/shard-00000.json",
        ".work/events/*",
        ".work/shards/sequences/part-00001-of-00003.tfrecord",
        ".work/shards/co_purchases/part-00001-of-00003.parquet",
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
    deadline = time.monotonic() + 300
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
