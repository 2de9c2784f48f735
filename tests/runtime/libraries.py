"""The libraries of a published model server; run as a module to fetch them as wheels.

Google's image tf-serving-scann:2.11.0 links TensorFlow 2.11, TensorFlow Text 2.11 and
ScaNN 1.2.9. The same code lies in these wheels, so the image itself is not needed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".runtime"
"""Where they lie in a checkout."""
COMPLETE = "complete"
CORE = "tensorflow"
SCANN = "scann"
TEXT = "tensorflow_text"
OP_LIBRARIES = (SCANN, TEXT)


@dataclass(frozen=True)
class Wheel:
    """Names a wheel and what is taken from it.

    Attributes:
        requirement: for pip.
        sha256: of the wheel.
        members: how the wanted paths begin; the libraries are loaded in this order.
    """

    requirement: str
    sha256: str
    members: tuple[str, ...]


WHEELS = {
    CORE: Wheel(
        "tensorflow-cpu==2.11.0",
        "b318429219392b2e73f72099db5b92cfd516171c1e10e4ef37b0f53166f627da",
        (
            "tensorflow/libtensorflow_framework.so",
            "tensorflow/python/_pywrap_tensorflow_internal.so",
        ),
    ),
    SCANN: Wheel(
        "scann==1.2.9",
        "731e96b97fdb8557c22bc8e0c39e72004fb2562c95f0cc35cf3488afcaf54c6a",
        ("scann/scann_ops/cc/_scann_ops.so",),
    ),
    TEXT: Wheel(
        "tensorflow-text==2.11.0",
        "b4abede4191820ae6d5a7c74f02c335a5f2e2df174eaa38b481b2b82a3330152",
        ("tensorflow_text/python/ops/",),
    ),
}


def libraries(folder: Path, name: str) -> list[Path]:
    """Returns the shared libraries that came from a wheel, in the order of loading."""
    wanted = [
        path for member in WHEELS[name].members for path in folder.glob(f"{member}*")
    ]
    return [path for path in wanted if ".so" in path.name]


def fetch(folder: Path) -> None:
    """Downloads the wheels with pip and unpacks what is needed; once.

    Raises:
        SystemExit: a wheel is not the one that was pinned.
        subprocess.CalledProcessError: pip cannot get one.
    """
    seal = folder / COMPLETE
    pins = "".join(f"{wheel.sha256} {wheel.requirement}\n" for wheel in WHEELS.values())
    if seal.exists() and seal.read_text(encoding="utf-8") == pins:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for wheel in WHEELS.values():
        with tempfile.TemporaryDirectory(dir=folder) as place:
            _unpack(_download(wheel, Path(place)), wheel, folder)
    seal.write_text(pins, encoding="utf-8")


def _download(wheel: Wheel, folder: Path) -> Path:
    options = ["--python-version", "3.10", "--only-binary=:all:", "--no-deps"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options]
    subprocess.run([*command, "--dest", folder, wheel.requirement], check=True)
    (path,) = folder.glob("*.whl")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel.sha256:
        sys.exit(f"error: {path.name} has sha256 {found}, expected {wheel.sha256}")
    return path


def _unpack(path: Path, wheel: Wheel, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith(wheel.members) and ".so" in name:
                archive.extract(name, folder)


if __name__ == "__main__":
    fetch(FOLDER)
