"""Files of a request log: written under a hidden name, shown when they are whole."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from serving.server.configs.logging import LogType
from tfrs_app.contract.impressions import JSONL_ENDING, TFRECORD_ENDING

_ENDINGS = {LogType.JSONL: JSONL_ENDING, LogType.TFRECORD: TFRECORD_ENDING}


class LogFile:
    """Appends records to one file; a reader never finds half a record or half a file.

    Its name is `<prefix>-<UTC moment>-<unique><ending>`, with a dot in front and
    `.partial` behind until it is closed.
    """

    def __init__(self, prefix: Path, form: LogType) -> None:
        """Makes the file, and its folder.

        Raises:
            OSError: that is not possible.
        """
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        name = f"{prefix.name}-{moment}-{uuid4().hex[:8]}{_ENDINGS[form]}"
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self._path = prefix.with_name(name)
        self._partial = prefix.with_name(f".{name}.partial")
        self._begun = time.monotonic()
        self.size = 0
        # Who asked for what is nobody else's business.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(self._partial, flags, 0o640)

    @property
    def age_s(self) -> float:
        """Returns the seconds since the file was made."""
        return time.monotonic() - self._begun

    def append(self, content: bytes) -> None:
        """Adds records, all or none.

        Raises:
            OSError: the disk takes no more.
        """
        try:
            written = 0
            while written < len(content):
                written += os.write(self._descriptor, content[written:])
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
            raise
        self.size += len(content)

    def close(self) -> None:
        """Shows the file to readers; an empty one is removed."""
        os.close(self._descriptor)
        if self.size:
            self._partial.rename(self._path)
        else:
            self._partial.unlink()
