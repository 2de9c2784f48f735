"""Bearer tokens (RFC 6750): who may ask, and who may administer."""

from __future__ import annotations

import hmac
import logging
from enum import Enum
from pathlib import Path

from serving.server.operations.secret_files import read_secret
from tfrs_app.contract.errors import ConfigError

_LOG = logging.getLogger(__name__)

AUTH_FLAG = "--auth_token_file"
ADMIN_FLAG = "--admin_token_file"

_LEAST_LENGTH = 16
_SCHEME = "bearer "


class Right(Enum):
    """What a call needs."""

    NONE = "none"
    ASK = "ask"
    ADMINISTER = "administer"


class Verdict(Enum):
    """What becomes of a call."""

    ALLOWED = "allowed"
    UNKNOWN = "unknown"
    """No token, or one that nobody has."""
    FORBIDDEN = "forbidden"
    """A good token that does not suffice."""


class Tokens:
    """Judges calls by their `authorization` header.

    A file holds one token a line, so that a new one can be handed out before the old
    one ends.
    """

    def __init__(self, asking: Path | None, administering: Path | None) -> None:
        """Takes a file for each right; without one, its calls need no token.

        Administering without a file of its own takes the tokens for asking.

        Raises:
            ConfigError: a file is missing, open to others, or has no good token.
        """
        self._asking_file = asking
        self._administering_file = administering
        self._asking, self._administering = self._read()

    def reload(self) -> None:
        """Reads the files again; a bad one is reported and the old tokens stay."""
        try:
            self._asking, self._administering = self._read()
        except ConfigError:
            _LOG.exception("the tokens were not changed")
            return
        _LOG.info("the tokens were read again")

    def verdict(self, authorization: str | None, right: Right) -> Verdict:
        """Returns whether a call with this header may do what it wants."""
        needed = self._administering if right is Right.ADMINISTER else self._asking
        if right is Right.NONE or not needed:
            return Verdict.ALLOWED
        token = _token(authorization)
        # Whoever may administer may ask.
        known = self._asking + self._administering
        if right is Right.ASK:
            needed = known
        if _is_among(token, needed):
            return Verdict.ALLOWED
        return Verdict.FORBIDDEN if _is_among(token, known) else Verdict.UNKNOWN

    def _read(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        asking = _tokens(self._asking_file, AUTH_FLAG)
        administering = _tokens(self._administering_file, ADMIN_FLAG)
        return asking, administering or asking


def _tokens(path: Path | None, flag: str) -> tuple[bytes, ...]:
    if path is None:
        return ()
    tokens = tuple(read_secret(path, flag).split())
    if not tokens or min(map(len, tokens)) < _LEAST_LENGTH:
        raise ConfigError(
            f"{flag}: {path} must hold one token a line, each of {_LEAST_LENGTH} "
            "characters at least; write for example that of `openssl rand -hex 32`"
        )
    return tokens


def _token(authorization: str | None) -> bytes:
    if authorization is None or not authorization.lower().startswith(_SCHEME):
        return b""
    return authorization[len(_SCHEME) :].strip().encode(errors="replace")


def _is_among(token: bytes, tokens: tuple[bytes, ...]) -> bool:
    # All are compared, each in constant time: time must not tell which came close.
    matches = [hmac.compare_digest(token, known) for known in tokens]
    return any(matches)
