"""Keyed hashes of user ids, and the list of users who asked to be forgotten."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.errors import ArtifactError, ConfigError

FORGOTTEN = "forgotten.json"
_KEY_BYTES = (16, 64)
_ID_BYTES = 16


@dataclass(frozen=True)
class UserKey:
    """Holds the secret of a keyed hash (BLAKE2b, RFC 7693) that replaces user ids."""

    secret: bytes = field(repr=False)

    @classmethod
    def of(
        cls, source: str | None, named_by: str = "data.hash_users"
    ) -> UserKey | None:
        """Reads the key that a setting names, `env:NAME` or `file:PATH`.

        Args:
            source: of the key; None: there is none.
            named_by: the setting, for messages.

        Raises:
            ConfigError: there is none, or its length does not fit.
        """
        if source is None:
            return None
        kind, _, name = source.partition(":")
        try:
            secret = (
                os.environ[name].encode() if kind == "env" else Path(name).read_bytes()
            ).strip()
        except (KeyError, OSError) as error:
            raise ConfigError(
                f"{named_by}: {source!r} holds no key; set the variable or write "
                "the file, e.g. with `openssl rand -hex 32`"
            ) from error
        least, most = _KEY_BYTES
        if not least <= len(secret) <= most:
            raise ConfigError(
                f"{named_by}: the key in {source!r} has {len(secret)} bytes; use "
                f"{least} to {most}, e.g. of `openssl rand -hex 32`"
            )
        return cls(secret)

    @property
    def fingerprint(self) -> str:
        """Returns what tells two keys apart without giving either away."""
        return self.pseudonym("\0fingerprint")

    def pseudonym(self, user_id: str) -> str:
        """Returns 32 hex digits that stand for a user."""
        digest = hashlib.blake2b(
            user_id.encode(), key=self.secret, digest_size=_ID_BYTES
        )
        return digest.hexdigest()


@dataclass(frozen=True)
class Forgotten:
    """Holds the salted digests of the users (as datasets name them) to be left out."""

    salt: bytes = b""
    digests: frozenset[str] = frozenset()

    @classmethod
    def load(cls, root: Path) -> Forgotten:
        """Reads the list of a shop; empty where there is none.

        Raises:
            ArtifactError: the file is no such list.
        """
        path = root / FORGOTTEN
        try:
            content = json.loads(path.read_bytes())
            return cls(bytes.fromhex(content["salt"]), frozenset(content["users"]))
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(
                f"{path}: is no list of forgotten users ({error}); restore it from a "
                "backup, for whoever it names must not come back"
            ) from error

    def __contains__(self, user_id: str) -> bool:
        return bool(self.digests) and self._digest(user_id) in self.digests

    def with_user(self, user_id: str) -> Forgotten:
        """Returns the list with one more user."""
        longer = Forgotten(self.salt or secrets.token_bytes(16), self.digests)
        return Forgotten(longer.salt, self.digests | {longer._digest(user_id)})

    def save(self, root: Path) -> None:
        """Writes the list atomically."""
        content = {"salt": self.salt.hex(), "users": sorted(self.digests)}
        write_atomically(root / FORGOTTEN, json.dumps(content, indent=2).encode())

    @property
    def fingerprint(self) -> list[str]:
        """Returns what a dataset's identity depends on."""
        return sorted(self.digests)

    def _digest(self, user_id: str) -> str:
        salted = self.salt + user_id.encode()
        return hashlib.blake2b(salted, digest_size=_ID_BYTES).hexdigest()


NOBODY = Forgotten()
"""The empty list."""
