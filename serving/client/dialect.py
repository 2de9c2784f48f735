"""What REST and gRPC have in common: requests to be made, replies to be read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from serving.client.errors import InvalidRequest
from serving.client.spec import Signature, VersionStatus
from serving.client.steps import Reply, Request
from serving.tensor_codec import Array


@dataclass(frozen=True)
class Target:
    """Names the model that is asked.

    Attributes:
        model: name that the server knows it by.
        version: None leaves it to `label`, or to the server: its latest.
        label: name of a version, for instance `canary`.
    """

    model: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        """Checks that one way to choose a version is taken.

        Raises:
            InvalidRequest: both a version and a label are given.
        """
        if self.version is not None and self.label is not None:
            raise InvalidRequest(
                f"version {self.version} and label {self.label!r} exclude each other; "
                "give one"
            )


class Dialect(ABC):
    """Writes requests and reads replies; opens no connection.

    Every `read_*` raises a ClientError for a reply that tells an error or makes no
    sense.
    """

    @abstractmethod
    def status_request(self) -> Request:
        """Asks for the state of the chosen version, or of all."""

    @abstractmethod
    def read_status(self, reply: Reply) -> list[VersionStatus]:
        """Returns the states, newest version first."""

    @abstractmethod
    def metadata_request(self) -> Request:
        """Asks for the model's signatures."""

    @abstractmethod
    def read_signatures(self, reply: Reply) -> dict[str, Signature]:
        """Returns the signatures by name."""

    @abstractmethod
    def predict_request(self, name: str, inputs: Mapping[str, Array]) -> Request:
        """Asks a signature."""

    @abstractmethod
    def read_outputs(self, reply: Reply, signature: Signature) -> dict[str, Array]:
        """Returns the outputs by name; strings are `bytes`."""
