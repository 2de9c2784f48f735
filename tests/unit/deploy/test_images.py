"""Dockerfiles pass hadolint; what they run inside does what it says."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.deploy.files import DEPLOY

DOCKER = DEPLOY / "docker"
ROOT = DEPLOY.parents[1]
DOCKERFILES = sorted(
    path for path in DOCKER.glob("Dockerfile.*") if path.suffix != ".dockerignore"
)
BUILD = """\
SUPPORTED_TENSORFLOW_OPS = [
    "@org_tensorflow_text//tensorflow_text:ops_lib",
]
"""
WRAPPERS = """\
cc_library(
    name = "tf_dependency",
    deps = [
        "@local_config_tf//:libtensorflow_framework",
        "@local_config_tf//:tf_header_lib",
    ],
)
"""
OPS = """\
load("@pybind11_bazel//:build_defs.bzl", "pybind_library")

cc_library(
    name = "scann_ops",
)

pybind_library(
    name = "scann_npy",
    deps = [
        ":scann",
    ],
)
"""


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_has_nothing_to_say(path):
    beside_python = Path(sys.executable).parent  # the venv need not be activated
    program = shutil.which("hadolint", path=f"{beside_python}:{os.environ['PATH']}")
    done = subprocess.run([program, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_images_run_as_nobody(path):
    last_stage = path.read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last_stage
    assert "\nENTRYPOINT [" in last_stage


def test_what_is_copied_exists_and_is_sent_to_the_builder():
    text = (DOCKER / "Dockerfile.embedded").read_text(encoding="utf-8")
    ignored = (DOCKER / "Dockerfile.embedded.dockerignore").read_text("utf-8")
    sent = {line[1:] for line in ignored.splitlines() if line.startswith("!")}
    for line in text.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            words = [w for w in line.split()[1:-1] if not w.startswith("--")]
            for name in words:
                assert (ROOT / name).exists()
                assert name.split("/")[0] in sent


@pytest.fixture
def trees(tmp_path):
    """Source trees with what `link_scann.py` looks for."""
    files = {
        "serving/tensorflow_serving/model_servers/BUILD": BUILD,
        "serving/WORKSPACE": 'workspace(name = "tf_serving")\n',
        "scann/scann/oss_wrappers/BUILD.bazel": WRAPPERS,
        "scann/scann/scann_ops/cc/BUILD.bazel": OPS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def link(trees):
    specification = importlib.util.spec_from_file_location(
        "link_scann", DOCKER / "link_scann.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.link(trees / "serving", trees / "scann")


def test_scann_is_linked_into_the_server(trees):
    link(trees)
    build = (trees / "serving/tensorflow_serving/model_servers/BUILD").read_text()
    text, scann = build.splitlines()[1:3]
    assert "tensorflow_text" in text
    assert scann == '    "@com_google_scann//scann/scann_ops/cc:scann_ops_static",'
    workspace = (trees / "serving/WORKSPACE").read_text()
    assert f'path = "{trees / "scann"}"' in workspace
    wrappers = (trees / "scann/scann/oss_wrappers/BUILD.bazel").read_text()
    assert "local_config_tf" not in wrappers
    assert "@org_tensorflow//tensorflow/core:tensorflow_opensource" in wrappers
    ops = (trees / "scann/scann/scann_ops/cc/BUILD.bazel").read_text()
    assert "pybind" not in ops
    assert 'name = "scann_ops_static"' in ops
    assert 'name = "scann_ops",' in ops


@pytest.mark.parametrize(
    "name",
    [
        "serving/tensorflow_serving/model_servers/BUILD",
        "scann/scann/oss_wrappers/BUILD.bazel",
        "scann/scann/scann_ops/cc/BUILD.bazel",
    ],
)
def test_sources_of_another_form_end_the_build(trees, name):
    (trees / name).write_text("# moved\n")
    with pytest.raises(SystemExit, match="has nothing like"):
        link(trees)
