"""Versions on disk: folders under a base path that are named by a whole number."""

from __future__ import annotations

from pathlib import Path

MAX_VERSION = 2**63 - 1


def versions_in(base_path: Path) -> dict[int, Path]:
    """Returns the folder of each version under a base path.

    Folders whose name is not a whole number are passed over: half-written versions
    have such names. Of two folders with one number (`7`, `007`) the last by name wins.

    Raises:
        OSError: the base path cannot be read.
    """
    versions = {}
    for folder in sorted(base_path.iterdir()):
        name = folder.name
        if name.isascii() and name.isdigit() and folder.is_dir():
            versions[int(name)] = folder
    return {n: folder for n, folder in versions.items() if n <= MAX_VERSION}


Fingerprint = frozenset[tuple[str, int, int]]


def fingerprint(folder: Path) -> Fingerprint:
    """Returns name, size and time of change of every file in a version's folder.

    A version that could not be loaded is tried again when this changes: it may have
    been looked at while it was still being copied.
    """
    entries = set()
    for path in folder.rglob("*"):
        try:
            stat = path.stat()
        except FileNotFoundError:  # renamed or removed since it was listed
            continue
        entries.add((str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns))
    return frozenset(entries)
