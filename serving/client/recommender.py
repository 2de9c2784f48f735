"""The interface of a model server's client, and what REST and gRPC have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from serving.client.errors import InvalidRequest, ServerFault
from serving.client.tensors import to_array
from serving.tensor_codec import Array, TensorType

_BYTES_SUFFIX = "_bytes"


@dataclass(frozen=True)
class TensorSpec:
    """Describes a named input or output.

    Attributes:
        kind: element type.
        shape: None stands for any size; a `shape` of None for any rank.
    """

    kind: TensorType
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Signature:
    """Describes a signature; some of the inputs may have defaults in the model."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


@dataclass(frozen=True)
class VersionStatus:
    """Tells a version's state: START, LOADING, AVAILABLE, UNLOADING or END."""

    version: int
    state: str
    error: str


class Recommender(ABC):
    """Asks one model of a server; safe to share between threads.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, model: str, version: int | None, timeout_s: float) -> None:
        """Takes the model's name, the version (None: the server's latest), a deadline.

        Args:
            model: name that the server knows it by.
            version: None asks the latest.
            timeout_s: for each call, unless the call names its own.
        """
        self.model = model
        self.version = version
        self.timeout_s = timeout_s
        self._signatures: dict[str, Signature] | None = None

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        *,
        timeout_s: float | None = None,
    ) -> dict[str, Array]:
        """Returns the outputs of a signature by name.

        Args:
            signature: name, for instance `serving_default`.
            inputs: arrays or nested lists; inputs with a default may be left out.
            timeout_s: overrides the client's.

        Returns:
            Arrays. Strings are object arrays of `str`, of `bytes` where the output's
            name ends in `_bytes`.

        Raises:
            ClientError: a subclass says why.
        """
        deadline_s = self.timeout_s if timeout_s is None else timeout_s
        try:
            spec = self._signature(signature, deadline_s)
            arrays = _checked(signature, spec, inputs)
            outputs = self._predict(signature, spec, arrays, deadline_s)
        except InvalidRequest:
            self._signatures = None  # the server may have swapped the model since
            raise
        return {name: _texts(name, array) for name, array in outputs.items()}

    def signatures(self) -> dict[str, Signature]:
        """Returns the model's signatures by name; asked once, then remembered.

        Raises:
            ClientError: a subclass says why.
        """
        return self._cached_signatures(self.timeout_s)

    @abstractmethod
    def status(self) -> list[VersionStatus]:
        """Returns the state of the chosen version, or of all, newest first.

        Raises:
            ClientError: a subclass says why.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes the connection."""

    @abstractmethod
    def _fetch_signatures(self, timeout_s: float) -> dict[str, Signature]: ...

    @abstractmethod
    def _predict(
        self,
        name: str,
        signature: Signature,
        inputs: Mapping[str, Array],
        timeout_s: float,
    ) -> dict[str, Array]: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _cached_signatures(self, timeout_s: float) -> dict[str, Signature]:
        known = self._signatures
        if known is None:
            known = self._signatures = self._fetch_signatures(timeout_s)
        return known

    def _signature(self, name: str, timeout_s: float) -> Signature:
        known = self._cached_signatures(timeout_s)
        if name not in known:
            raise InvalidRequest(
                f"model {self.model!r} has no signature {name!r}; it has "
                f"{', '.join(sorted(known))}"
            )
        return known[name]


def _checked(
    name: str, signature: Signature, inputs: Mapping[str, Any]
) -> dict[str, Array]:
    unknown = inputs.keys() - signature.inputs.keys()
    if unknown:
        raise InvalidRequest(
            f"signature {name!r} has no input {min(unknown)!r}; it has "
            f"{', '.join(sorted(signature.inputs))}"
        )
    return {
        alias: to_array(alias, value, signature.inputs[alias].kind)
        for alias, value in inputs.items()
    }


def _texts(name: str, array: Array) -> Array:
    if array.dtype != object or name.endswith(_BYTES_SUFFIX):
        return array
    texts = np.empty(array.size, dtype=object)
    try:
        texts[:] = [value.decode() for value in array.ravel()]
    except UnicodeDecodeError as error:
        raise ServerFault(
            f"output {name!r} is not UTF-8; an output of bytes needs a name that ends "
            f"in {_BYTES_SUFFIX!r}"
        ) from error
    return texts.reshape(array.shape)
