"""Files of requests: each as its length, four bytes, and its bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

SIGNATURES = ("recommend", "retrieve")


def write_messages(path: Path, messages: Sequence[bytes]) -> None:
    """Writes a file that `read_messages` reads."""
    path.write_bytes(b"".join(struct.pack("<I", len(m)) + m for m in messages))


def read_messages(path: Path) -> list[bytes]:
    """Returns the messages of a file."""
    blob, messages, place = path.read_bytes(), [], 0
    while place < len(blob):
        (size,) = struct.unpack_from("<I", blob, place)
        messages.append(blob[place + 4 : place + 4 + size])
        place += 4 + size
    return messages
