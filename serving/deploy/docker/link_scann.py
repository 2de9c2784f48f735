"""Makes TensorFlow Serving's build link ScaNN's ops: `link_scann.py SERVING SCANN`.

Runs inside Dockerfile.scann, on the sources of both. TensorFlow Serving loads no op
library at run time, so its binary must hold the ops. Every edit must find its place: a
release that is laid out otherwise ends the build here, with the file's name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

OPS = "@com_google_scann//scann/scann_ops/cc:scann_ops_static"
TENSORFLOW = "@org_tensorflow//tensorflow/core:tensorflow_opensource"
STATIC_LIBRARY = """
cc_library(
    name = "scann_ops_static",
    deps = [
        ":scann_ops",
        ":scann_ops_kernels",
    ],
    alwayslink = 1,
)
"""
# Repositories that ScaNN's build files name and TensorFlow Serving's workspace lacks.
REPOSITORIES = """
local_repository(
    name = "com_google_scann",
    path = "{scann}",
    repo_mapping = {{"@eigen": "@eigen_archive"}},
)

load("@bazel_tools//tools/build_defs/repo:git.bzl", "git_repository")

git_repository(
    name = "com_google_highway",
    remote = "https://github.com/google/highway.git",
    tag = "1.2.0",
)

git_repository(
    name = "cnpy",
    commit = "57184ee0db37cac383fc29175950747a46a8b512",
    remote = "https://github.com/sammymax/cnpy.git",
)
"""


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Replaces a pattern that must occur in a file.

    Raises:
        SystemExit: it does not occur.
    """
    before = path.read_text(encoding="utf-8")
    after, count = re.subn(pattern, lambda _: replacement, before, flags=re.DOTALL)
    if not count:
        sys.exit(f"error: {path} has nothing like {pattern!r}; is it another release?")
    path.write_text(after, encoding="utf-8")


def append(path: Path, text: str) -> None:
    """Adds text at the end of a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def link(serving: Path, scann: Path) -> None:
    """Edits both source trees.

    Args:
        serving: root of tensorflow/serving.
        scann: folder `scann` of google-research, with a WORKSPACE or MODULE.bazel.
    """
    text_ops = '"@org_tensorflow_text//tensorflow_text:ops_lib",'
    edit(
        serving / "tensorflow_serving" / "model_servers" / "BUILD",
        re.escape(text_ops),
        f'{text_ops}\n    "{OPS}",',
    )
    append(serving / "WORKSPACE", REPOSITORIES.format(scann=scann))
    # The headers and symbols of the TensorFlow that is built, not of a Python package.
    edit(
        scann / "scann" / "oss_wrappers" / "BUILD.bazel",
        r'"@local_config_tf//:libtensorflow_framework",\s*'
        r'"@local_config_tf//:tf_header_lib",',
        f'"{TENSORFLOW}",',
    )
    ops = scann / "scann" / "scann_ops" / "cc" / "BUILD.bazel"
    # The Python module needs pybind11, which no server does.
    edit(ops, r'load\("@pybind11_bazel[^\n]*\n', "")
    edit(ops, r"\npybind_library\(.*?\n\)\n", "")
    append(ops, STATIC_LIBRARY)


if __name__ == "__main__":
    link(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
