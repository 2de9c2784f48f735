"""Which versions could not be loaded, and when to try them again."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from serving.server.models.versions import Fingerprint, fingerprint


@dataclass(frozen=True)
class _Failure:
    files: Fingerprint
    attempts: int
    next_try: float


class Attempts:
    """Remembers failed loads of one model's versions.

    A version is tried again when its files change, and a few times after a while
    besides: the fault may have lain in the machine.
    """

    def __init__(self, max_retries: int, retry_s: float) -> None:
        """Takes how often, and after how many seconds, the same files are retried."""
        self._max_retries = max_retries
        self._retry_s = retry_s
        self._failures: dict[int, _Failure] = {}

    def may_try(self, version: int, folder: Path) -> bool:
        """Tells whether a load of this version might succeed."""
        failed = self._failures.get(version)
        if failed is None or fingerprint(folder) != failed.files:
            return True
        due = time.monotonic() >= failed.next_try
        return due and failed.attempts <= self._max_retries

    def failed(self, version: int, files: Fingerprint) -> None:
        """Notes that a load failed which began with these files."""
        before = self._failures.get(version)
        again = before is not None and before.files == files
        attempts = before.attempts + 1 if before is not None and again else 1
        next_try = time.monotonic() + self._retry_s
        self._failures[version] = _Failure(files, attempts, next_try)

    def succeeded(self, version: int) -> None:
        """Forgets a version's failures."""
        self._failures.pop(version, None)

    def keep_only(self, versions: Collection[int]) -> None:
        """Forgets versions that are no longer on disk."""
        self._failures = {v: f for v, f in self._failures.items() if v in versions}

    def broken(self) -> list[int]:
        """Returns the versions whose last load failed, highest first."""
        return sorted(self._failures, reverse=True)
