"""An export that is killed in the middle publishes nothing, and a rerun succeeds."""

import shutil
import signal
import subprocess
import time

import pytest

from tests.program import tfrs_app, tfrs_app_command
from tfrs_app.contract.artifacts import verify_model
from tfrs_app.export.publish import versions

pytestmark = pytest.mark.slow


def test_kill_9_amid_an_export(toy_run, tmp_path):
    shutil.copytree(toy_run.config.artifacts, tmp_path / "artifacts")
    base = tmp_path / "artifacts" / "smoke" / "models" / "smoke"
    shutil.rmtree(base)
    options = [*toy_run.options, "--set", f"artifacts={tmp_path / 'artifacts'}"]
    killed = subprocess.Popen(tfrs_app_command("export", *options))
    while not any(base.glob(".1.*.partial")):
        assert killed.poll() is None, "the export ended before it could be killed"
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert versions(base) == []
    assert tfrs_app("export", *options).returncode == 0
    assert versions(base) == [1]
    assert verify_model(base / "1").kind == "model"
    assert not any(base.glob(".1.*.partial"))
