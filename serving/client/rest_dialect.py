"""TF Serving's REST API, in its column format."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from serving.client.dialect import Dialect, Target
from serving.client.errors import (
    AccessDenied,
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    ServerFault,
    Unavailable,
    WrongAnswer,
)
from serving.client.spec import Signature, TensorSpec, VersionStatus
from serving.client.steps import Reply, Request
from serving.json_text import JsonError, dumps, loads
from serving.tensor_codec import Array, TensorError, string_array, type_of_name

_OK = 200
_ERRORS: dict[int, type[ClientError]] = {
    400: InvalidRequest,
    401: AccessDenied,
    403: AccessDenied,
    404: ModelNotFound,
    413: InvalidRequest,
    429: Overloaded,
    502: Unavailable,  # a proxy that does not reach the server
    503: Unavailable,
    504: DeadlineExceeded,
}
_SHOWN_OF_A_BODY = 200


class RestDialect(Dialect):
    """Speaks JSON over HTTP."""

    def __init__(self, url: str, target: Target) -> None:
        """Takes `http://host:port`, for messages, and the model."""
        self._url = url
        self._path = self._chosen = f"/v1/models/{quote(target.model, safe='')}"
        if target.version is not None:
            self._path = self._chosen = f"{self._path}/versions/{target.version}"
        elif target.label is not None:
            self._chosen += f"/labels/{quote(target.label, safe='')}"

    def status_request(self) -> Request:
        """Asks for the state of the chosen version, or of all; labels don't count."""
        return Request(self._path, None)

    def read_status(self, reply: Reply) -> list[VersionStatus]:
        """Returns the states, newest version first."""
        entries = self._content(reply, "model_version_status")
        try:
            return [
                VersionStatus(
                    version=int(entry["version"]),
                    state=str(entry["state"]),
                    error=str(entry["status"]["error_message"]),
                )
                for entry in entries
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(error) from error

    def metadata_request(self) -> Request:
        """Asks for the model's signatures."""
        return Request(f"{self._chosen}/metadata", None)

    def read_signatures(self, reply: Reply) -> dict[str, Signature]:
        """Returns the signatures by name."""
        metadata = self._content(reply, "metadata")
        try:
            definitions = metadata["signature_def"]["signature_def"]
            return {
                name: Signature(
                    inputs=_specs(definition["inputs"]),
                    outputs=_specs(definition["outputs"]),
                )
                for name, definition in definitions.items()
                if not name.startswith("__")
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable(error) from error

    def predict_request(self, name: str, inputs: Mapping[str, Array]) -> Request:
        """Asks a signature."""
        values = {alias: _jsonable(array) for alias, array in inputs.items()}
        body = dumps({"signature_name": name, "inputs": values}, inputs.values())
        return Request(f"{self._chosen}:predict", body)

    def read_outputs(self, reply: Reply, signature: Signature) -> dict[str, Array]:
        """Returns the outputs by name; strings are `bytes`."""
        outputs = self._content(reply, "outputs")
        if len(signature.outputs) == 1:
            outputs = {next(iter(signature.outputs)): outputs}
        try:
            return {
                alias: _from_json(outputs[alias], spec)
                for alias, spec in signature.outputs.items()
            }
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._unreadable(error) from error

    def _content(self, reply: Reply, key: str) -> Any:
        """Returns what the answer holds under a key."""
        try:
            answer = loads(reply.body)
        except JsonError:
            answer = None
        holds = answer if isinstance(answer, dict) else {}
        if reply.code != _OK:
            told = holds.get("error") or reply.body[:_SHOWN_OF_A_BODY].decode(
                errors="replace"
            )
            kind = _ERRORS.get(reply.code, ServerFault)
            raise kind(f"{self._url}: {told} (status {reply.code})")
        if key not in holds:
            raise ServerFault(
                f"{self._url}: the answer is no JSON object with {key!r}; is it a "
                "model server?"
            )
        return holds[key]

    def _unreadable(self, error: Exception) -> WrongAnswer:
        told = f"{type(error).__name__}: {error}"
        return WrongAnswer(f"{self._url}: the answer cannot be read ({told})")


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {name: _spec(info) for name, info in infos.items()}


def _spec(info: Mapping[str, Any]) -> TensorSpec:
    shape = info["tensor_shape"]
    sizes = [int(dim["size"]) for dim in shape.get("dim", ())]
    return TensorSpec(
        kind=type_of_name(info["dtype"]),
        shape=None
        if shape.get("unknown_rank")
        else tuple(None if size < 0 else size for size in sizes),
    )


def _jsonable(array: Array) -> Any:
    if array.dtype != object:
        return array
    values = np.empty(array.size, dtype=object)
    values[:] = [_text_or_b64(value) for value in array.ravel()]
    return values.reshape(array.shape).tolist()


def _text_or_b64(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def _from_json(value: Any, spec: TensorSpec) -> Array:
    array = np.array(value, dtype=spec.kind.dtype)
    if array.size == 0 and spec.shape is not None:  # [] can't tell [0] from [0, 8]
        missing = spec.shape[array.ndim :]
        array = array.reshape(array.shape + tuple(size or 0 for size in missing))
    if not spec.kind.is_string:
        return array
    flat = [_to_bytes(element) for element in array.ravel()]
    return string_array(flat).reshape(array.shape)


def _to_bytes(element: Any) -> bytes:
    if isinstance(element, str):
        return element.encode()
    try:
        return base64.b64decode(element["b64"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise TensorError(f"{element!r:.40} is neither a string nor b64") from error
