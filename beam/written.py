"""What workers wrote: recorded by them, checked and published by the driver.

Workers write below a work folder that no other attempt shares. Only what a report names
and whose content is as reported gets into the dataset, so nothing that a killed or
repeated task left behind does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tfrs_app.contract.artifacts import FileRecord, sha256_of
from tfrs_app.contract.errors import DataError

SHARDS = "shards"
"""Folder inside the work folder where workers put the dataset's files."""


def recorded(*paths: Path) -> dict[Path, FileRecord]:
    """Returns size and sha256 of each file, for the report of its writer."""
    return {
        path: FileRecord(bytes=path.stat().st_size, sha256=sha256_of(path))
        for path in paths
    }


def check_written(files: Mapping[Path, FileRecord]) -> None:
    """Checks that files are here and hold what their writers reported.

    Raises:
        RuntimeError: names the first that does not.
    """
    for path, record in files.items():
        if not path.is_file():
            raise RuntimeError(
                f"{path}: a worker reported this file but it is absent here; all "
                "workers must share the artefacts folder under the same path"
            )
        found = recorded(path)[path]
        if found != record:
            raise RuntimeError(
                f"{path}: holds {found} but its worker wrote {record}; find out who "
                "else writes there, or whether the disk is full"
            )


def check_shared(folder: Path) -> None:
    """Checks, in a worker, that it sees the folder that the driver made.

    Raises:
        DataError: it does not.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: a worker does not see this folder of the driver; `artifacts` "
            "must lie on a file system that all workers share under the same path"
        )


def publish(source: Path, target: Path, names: Iterable[str]) -> None:
    """Moves files of the same file system to the dataset, and nothing beside them.

    Raises:
        RuntimeError: one is absent.
    """
    target.mkdir(parents=True)
    for name in names:
        try:
            (source / name).replace(target / name)
        except FileNotFoundError as error:
            raise RuntimeError(f"{source / name}: no worker wrote this file") from error
