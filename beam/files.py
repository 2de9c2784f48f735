"""Finds and opens input files: local ones, and URLs that Beam's filesystems know."""

from __future__ import annotations

import glob
import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tfrs_app.contract.artifacts import sha256_of
from tfrs_app.contract.errors import DataError


def is_remote(path: str) -> bool:
    """Tells whether a path is a URL such as `gs://bucket/events`."""
    return "://" in path


def matching(pattern: str, key: str) -> list[str]:
    """Returns the files that a path or glob names, ascending.

    Args:
        pattern: of a local path or a URL.
        key: of the YAML that names it, for messages.

    Raises:
        DataError: no filesystem knows the URL's scheme, or it refuses.
    """
    if not is_remote(pattern):
        if Path(pattern).is_file():
            return [pattern]
        found = glob.glob(pattern, recursive=True)
        return sorted(path for path in found if Path(path).is_file())
    # Only here, because importing Beam takes longer than reading a small local file.
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        (result,) = FileSystems.match([pattern])
    except (BeamIOError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(
            f"{key}: {pattern!r} cannot be listed: {reason}; check the URL, your "
            "credentials, and that Beam's extra of that filesystem is installed"
        ) from error
    return sorted(metadata.path for metadata in result.metadata_list)


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Opens a file for reading bytes; what ends in `.gz` is unpacked."""
    with ExitStack() as files:
        raw = files.enter_context(raw_file(path))
        zipped = path.lower().endswith(".gz")
        yield files.enter_context(gzip.GzipFile(fileobj=raw)) if zipped else raw


def raw_file(path: str) -> Any:
    """Opens a file for reading its bytes as they are, seekable."""
    if is_remote(path):
        from apache_beam.io.filesystem import CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return open(path, "rb")


def digest_of(path: str) -> str:
    """Returns what changes with a file's content: sha256, or a store's checksum."""
    if is_remote(path):
        from apache_beam.io.filesystems import FileSystems

        return str(FileSystems.checksum(path))
    return sha256_of(Path(path))
