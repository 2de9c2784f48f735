"""A user's mistake that a worker met, brought home as what it is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tfrs_app.contract.errors import ConfigError, DataError, UserError

_KINDS: dict[str, type[UserError]] = {
    kind.__name__: kind for kind in (ConfigError, DataError, UserError)
}


class Failure(BaseModel):
    """Carries a user's mistake from a worker to the driver, whatever the runner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    message: str

    @property
    def error(self) -> UserError:
        """Returns the mistake as the worker met it."""
        return _KINDS[self.kind](self.message)


def failure_of(error: UserError) -> Failure:
    """Returns a user's mistake in a form that crosses process borders."""
    kind = type(error).__name__
    return Failure(kind=kind if kind in _KINDS else "UserError", message=str(error))
