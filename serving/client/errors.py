"""What can go wrong when a server is asked; each message is one sentence.

They stand alone: a client must not choose a TensorFlow or Keras for the process that
uses it, as importing `tfrs_app` does.
"""


class ClientError(Exception):
    """Reports a request that got no answer; its subclasses say whose turn it is."""


class InvalidRequest(ClientError):  # noqa: N818 - named by what the caller did
    """Reports inputs that do not fit the signature: sending them again cannot help."""


class AccessDenied(ClientError):  # noqa: N818
    """Reports a token or certificate that one side does not accept."""


class ModelNotFound(ClientError):  # noqa: N818
    """Reports a model or version that the server does not have."""


class Unavailable(ClientError):  # noqa: N818
    """Reports a server that is not reached or takes no more; retried if it may be."""


class Overloaded(ClientError):  # noqa: N818
    """Reports a limit of the server that the request hit; retrying would add to it."""


class DeadlineExceeded(ClientError):  # noqa: N818
    """Reports an answer that did not come in time, retries included."""


class ServerFault(ClientError):  # noqa: N818
    """Reports a failure inside the server, or an answer that cannot be understood."""


class WrongAnswer(ServerFault):
    """Reports an answer that can't be true: rows missing, a score that is NaN, ..."""
