"""What `--setup_file ./setup.py` sends to remote workers."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from apache_beam.runners.portability.stager import Stager

ROOT = Path(__file__).parents[3]
PACKAGES = ("beam", "serving", "tfrs_app")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.mark.slow
def test_a_remote_worker_can_build_and_import_what_is_staged(tmp_path):
    tree = tmp_path / "tree"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name)
    for name in FILES:
        shutil.copy(ROOT / name, tree)
    (tmp_path / "staged").mkdir()
    # Beam's own step for --setup_file.
    staged = Stager._build_setup_package(str(tree / "setup.py"), tmp_path / "staged")
    with tarfile.open(staged) as archive:
        archive.extractall(tmp_path / "worker")
    (unpacked,) = (tmp_path / "worker").iterdir()
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "bdist_wheel"], cwd=unpacked, check=True
    )
    (wheel,) = unpacked.glob("dist/*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = "import beam.stages, tfrs_app.contract.config; print(beam.stages.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(site / "beam" / "stages.py")
