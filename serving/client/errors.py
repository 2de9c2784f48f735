"""What can go wrong when a server is asked; each is a `UserError` of one sentence."""

from tfrs_app.contract.errors import UserError


class ClientError(UserError):
    """Reports a request that got no answer; its subclasses say whose turn it is."""


class InvalidRequest(ClientError):  # noqa: N818 - named by what the caller did
    """Reports inputs that do not fit the signature: sending them again cannot help."""


class ModelNotFound(ClientError):  # noqa: N818
    """Reports a model or version that the server does not have."""


class Unavailable(ClientError):  # noqa: N818
    """Reports a server that is not reached or is too busy: trying later may help."""


class DeadlineExceeded(ClientError):  # noqa: N818
    """Reports an answer that did not come within `timeout_s`."""


class ServerFault(ClientError):  # noqa: N818
    """Reports a failure inside the server, or an answer that cannot be understood."""
