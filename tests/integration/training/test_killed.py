"""A training that is really killed, and started again."""

import signal
import subprocess

import pytest

from tests.conftest import SMOKE, ToyRun
from tests.program import tfrs_app, tfrs_app_command
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError

EPOCHS = 4


@pytest.fixture
def toy(toy_run) -> ToyRun:
    """The finished toy shop with a training that nobody has done yet."""
    more = [
        f"retrieval.epochs={EPOCHS}",
        f"retrieval.patience={EPOCHS}",
        "retrieval.seed=9",
    ]
    return ToyRun(SMOKE, [*toy_run.overrides, *more], "")


@pytest.mark.slow
def test_a_killed_training_is_resumed_and_counts_only_when_finished(toy):
    command = tfrs_app_command("train", "retrieval", *toy.options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as training:
        for line in training.stdout:
            if line.startswith("epoch 2:"):
                training.send_signal(signal.SIGKILL)
                break
    assert training.returncode == -signal.SIGKILL
    folder = toy.stages.run_folder
    assert list((folder / "checkpoints").glob("*.index"))
    with pytest.raises(ArtifactError, match="absent or unfinished"):
        verify(folder)

    done = tfrs_app("train", "retrieval", *toy.options)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("resuming after epoch ") for line in lines)
    epochs = [line for line in lines if "validation ndcg" in line]
    assert len(epochs) in (EPOCHS - 2, EPOCHS - 3)  # the kill may come an epoch late
    assert epochs[-1].startswith(f"epoch {EPOCHS}:")
    assert verify(folder).counts["epochs"] == EPOCHS
