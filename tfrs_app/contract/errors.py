"""Errors that a user can mend: the CLI prints their one sentence and exits with 2."""


class UserError(Exception):
    """Reports a mistake that the user can mend; says what, where and how."""


class ConfigError(UserError):
    """Reports an unknown key, an impossible value or an unreadable config file."""


class DataError(UserError):
    """Reports a table that is missing, unreadable, empty or against the contract."""


class ArtifactError(UserError):
    """Reports an artefact that is absent, half-written, changed or misplaced."""


class ServerError(UserError):
    """Reports a server that can't start or can't be reached."""
