"""New versions of a model while it is under load: copies of its newest one."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from serving.client.errors import ClientError
from serving.client.spec import VersionStatus
from tfrs_app.contract.errors import ArtifactError

_KEPT = 2
"""Copies that lie there at a time: the one served, and the one before."""
_POLL_S = 0.2
_AVAILABLE = "AVAILABLE"


@dataclass(frozen=True)
class Swap:
    """Tells of a version that was published.

    Attributes:
        version: its number.
        at_s: when, from the start of the load.
        available_after_s: when the server said so, from then on; None: it never did.
    """

    version: int
    at_s: float
    available_after_s: float | None


class Copies:
    """Publishes copies of the newest version and takes all of them away again."""

    def __init__(self, base_path: Path) -> None:
        """Takes the folder that holds one folder a version.

        Raises:
            ArtifactError: there is no version.
        """
        found = [int(f.name) for f in base_path.glob("*") if f.name.isdecimal()]
        if not found:
            raise ArtifactError(
                f"{base_path}: no version to copy; run `tfrs-app export`"
            )
        self._base_path = base_path
        self._newest = max(found)
        self._source = next(
            folder
            for folder in base_path.glob("*")
            if folder.name.isdecimal() and int(folder.name) == self._newest
        )
        self._made: list[Path] = []

    def publish(self) -> int:
        """Returns the number of a new version, put there by one rename.

        Its files are hard links, so that a soak of hours fills no disk.
        """
        version = self._newest + 1
        partial = self._base_path / f".{version}.partial"
        shutil.copytree(self._source, partial, copy_function=os.link)
        folder = partial.rename(self._base_path / str(version))
        self._newest = version
        self._made.append(folder)
        while len(self._made) > _KEPT:
            shutil.rmtree(self._made.pop(0))
        return version

    def remove(self) -> None:
        """Takes the copies away; the server goes back to what it was copied from."""
        while self._made:
            shutil.rmtree(self._made.pop())


async def swap_every(
    seconds: float,
    publish: Callable[[], int],
    versions: Callable[[float], Awaitable[list[VersionStatus]]],
    swaps: list[Swap],
) -> None:
    """Publishes until it is cancelled.

    Args:
        seconds: between two versions.
        publish: returns the number of a new one.
        versions: asks the server for its states, within seconds.
        swaps: takes what happened.
    """
    start = time.perf_counter()
    while True:
        at_s = time.perf_counter() - start
        version = await asyncio.to_thread(publish)
        taken_s = await _until_available(version, versions, seconds)
        swaps.append(Swap(version, at_s, taken_s))
        await asyncio.sleep(max(0.0, at_s + seconds - (time.perf_counter() - start)))


async def _until_available(
    version: int,
    versions: Callable[[float], Awaitable[list[VersionStatus]]],
    timeout_s: float,
) -> float | None:
    start = time.perf_counter()
    while (taken_s := time.perf_counter() - start) < timeout_s:
        try:
            states = await versions(timeout_s)
        except ClientError:
            states = []  # the load counts failures; here only success matters
        if any(s.version == version and s.state == _AVAILABLE for s in states):
            return taken_s
        await asyncio.sleep(_POLL_S)
    return None
