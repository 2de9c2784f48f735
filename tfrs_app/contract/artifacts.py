"""Where artefacts lie, and the manifest that makes a folder count as one.

A folder without `manifest.json` does not exist for any reader. The manifest is written
last and atomically; it lists every file with size and sha256, the counts, the package
versions, the spec's fingerprint and the parent's id.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from tfrs_app.contract.errors import ArtifactError
from tfrs_app.version import __version__

MANIFEST = "manifest.json"
SPEC = "feature_spec.json"
STATS = "stats.json"
MODEL_EXTRAS = "assets.extra"
EVALUATION_PAGE = "report.html"

_RECORDED_PACKAGES = (
    "apache-beam", "numpy", "pyarrow", "scann", "tensorflow", "tensorflow-recommenders",
    "tensorflow-text", "tf-keras",
)  # fmt: skip

ArtifactKind = Literal[
    "dataset", "text_encoder", "text_embeddings", "retrieval", "ranking", "model"
]


class FileRecord(BaseModel):
    """Records one file of an artefact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """Describes a finished artefact; `id` is a digest of everything that went in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ArtifactKind
    id: str
    parent: str | None
    spec_fingerprint: str
    created: str
    tfrs_app: str = __version__
    packages: dict[str, str]
    counts: dict[str, Any]
    files: dict[str, FileRecord]


class Layout(BaseModel):
    """Names the folders of one shop's artefacts."""

    model_config = ConfigDict(frozen=True)

    root: Path

    @property
    def datasets(self) -> Path:
        """Returns the folder of all datasets."""
        return self.root / "datasets"

    def dataset(self, identity: str) -> Path:
        """Returns the folder of a dataset."""
        return self.datasets / identity

    def catalogue_update(self, dataset_id: str) -> Path:
        """Returns the file of what was pushed onto a dataset's catalogue."""
        return self.root / "catalogue_updates" / f"{dataset_id}.parquet"

    def text_embeddings(self, identity: str) -> Path:
        """Returns the folder of the vectors of a catalogue's texts."""
        return self.root / "text_embeddings" / identity

    def text_cache(self, encoder_fingerprint: str) -> Path:
        """Returns the folder of all vectors that an encoder ever gave a text."""
        return self.root / "text_cache" / encoder_fingerprint

    def run(self, identity: str) -> Path:
        """Returns the folder of a training run."""
        return self.root / "runs" / identity

    def study(self, identity: str) -> Path:
        """Returns the folder of a hyper-parameter search."""
        return self.root / "studies" / identity

    @property
    def reports(self) -> Path:
        """Returns the folder of reports on the data and of evaluation."""
        return self.root / "reports"

    @property
    def loads(self) -> Path:
        """Returns the folder of what load tests found."""
        return self.root / "load"

    def model(self, shop: str) -> Path:
        """Returns TF Serving's base path: one folder a version lies under it."""
        return self.root / "models" / shop


def identity_of(**ingredients: Any) -> str:
    """Returns the first 12 hex digits of the ingredients' canonical sha256."""
    canonical = json.dumps(ingredients, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def sha256_of(path: Path) -> str:
    """Returns the hex sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def write_manifest(
    folder: Path,
    *,
    kind: ArtifactKind,
    identity: str,
    parent: str | None,
    spec_fingerprint: str,
    counts: Mapping[str, Any],
    inside: str = "",
    leave_out: str | None = None,
) -> Manifest:
    """Seals a folder: checksums every file, then writes the manifest, last.

    Args:
        folder: the artefact's folder, complete but for the manifest.
        kind: what it is.
        identity: digest of all its ingredients.
        parent: id of the artefact that it was made from.
        spec_fingerprint: of the feature spec that it holds.
        counts: rows, items, epochs and the like.
        inside: subfolder for the manifest (`assets.extra` of a SavedModel).
        leave_out: subfolder that is no part of the artefact.
    """
    manifest_path = folder / inside / MANIFEST
    files = {
        path.relative_to(folder).as_posix(): FileRecord(
            bytes=path.stat().st_size, sha256=sha256_of(path)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path != manifest_path
        and path.relative_to(folder).parts[0] != leave_out
    }
    manifest = Manifest(
        kind=kind,
        id=identity,
        parent=parent,
        spec_fingerprint=spec_fingerprint,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        packages=_package_versions(),
        counts=dict(counts),
        files=files,
    )
    write_atomically(manifest_path, manifest.model_dump_json(indent=2).encode())
    return manifest


def read_manifest(folder: Path, inside: str = "") -> Manifest:
    """Reads a manifest without checking the files.

    Raises:
        ArtifactError: there is none, or it cannot be parsed.
    """
    path = folder / inside / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{folder}: holds no {MANIFEST}, so it is absent or unfinished; "
            "run the stage that makes it again"
        ) from error
    except ValidationError as error:
        raise ArtifactError(
            f"{path}: is not a manifest ({error.error_count()} faults); delete the "
            "folder and run the stage again"
        ) from error


def verify(folder: Path, inside: str = "") -> Manifest:
    """Reads a manifest and checks every file that it lists, by size and sha256.

    Raises:
        ArtifactError: names the first file that is absent or changed.
    """
    manifest = read_manifest(folder, inside)
    for name, record in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path}: listed in the manifest but absent")
        size = path.stat().st_size
        if size != record.bytes or sha256_of(path) != record.sha256:
            raise ArtifactError(
                f"{path}: changed since it was written ({size} bytes, manifest "
                f"{record.bytes}); delete the folder and run the stage again"
            )
    return manifest


def verify_model(folder: Path) -> Manifest:
    """Verifies an exported SavedModel, whose manifest lies in `assets.extra`."""
    return verify(folder, MODEL_EXTRAS)


def is_valid(folder: Path, inside: str = "", identity: str | None = None) -> bool:
    """Tells whether a folder is a whole artefact, and the wanted one if that is said.

    Args:
        folder: of the artefact.
        inside: where its manifest lies in it.
        identity: the id that it must have, or None.
    """
    try:
        manifest = verify(folder, inside)
    except ArtifactError:
        return False
    return identity is None or manifest.id == identity


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Holds the lock of an artefact while it is written; a killed holder frees it.

    Raises:
        ArtifactError: another living process holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArtifactError(
                f"{folder}: another process is writing it; wait for it or stop it"
            ) from error
        yield


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yields an empty sibling folder that is renamed to `folder` on success.

    A failed writer's sibling is removed; those of killed ones by the next writer. Each
    has a name of its own, because workers of a killed job may live on and still write.
    """
    with exclusive(folder):
        for left in folder.parent.glob(f".{folder.name}.*.partial"):
            shutil.rmtree(left, ignore_errors=True)
        partial = folder.with_name(f".{folder.name}.{uuid4().hex}.partial")
        partial.mkdir()
        try:
            yield partial
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)  # an invalid or forced predecessor
        partial.rename(folder)


def _package_versions() -> dict[str, str]:
    versions = {}
    for name in _RECORDED_PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
