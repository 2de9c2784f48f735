"""Files with keys and tokens: nobody but their owner and group may read them."""

from __future__ import annotations

import stat
from pathlib import Path

from tfrs_app.contract.errors import ConfigError


def check_secret(path: Path, flag: str) -> None:
    """Checks that other users of the machine can neither read nor write a file.

    The group may read: it is how Kubernetes hands a secret to a container (`fsGroup`).

    Raises:
        ConfigError: they can, or the file is not there.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"{flag}: cannot read {path} ({error.strerror}); name a file that the "
            "server's user may read"
        ) from error
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigError(
            f"{flag}: {path} has mode {stat.S_IMODE(mode):04o}, so others can read or "
            "change the secret in it; run `chmod 600` on it (in Kubernetes: "
            "defaultMode: 0440 and fsGroup)"
        )


def read_secret(path: Path, flag: str) -> bytes:
    """Returns the content of a file with a secret.

    Raises:
        ConfigError: it cannot be read, or others can read it.
    """
    check_secret(path, flag)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{flag}: cannot read {path} ({error.strerror}); name a file that the "
            "server's user may read"
        ) from error
