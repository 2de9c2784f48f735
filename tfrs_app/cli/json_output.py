"""What `--json` prints: one object on stdout, while all else goes to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any


def print_json(content: Mapping[str, Any]) -> None:
    """Prints an object on one line; what is no number in JSON is null."""
    sys.stdout.write(json.dumps(_plain(content), allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """Returns a value as JSON knows it."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
