"""Asks a model server over REST; needs no TensorFlow."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np

from serving.client.errors import (
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    ServerFault,
    Unavailable,
)
from serving.client.recommender import Recommender, Signature, TensorSpec, VersionStatus
from serving.json_text import JsonError, dumps, loads
from serving.tensor_codec import Array, TensorError, string_array, type_of_name

_ERRORS: dict[int, type[ClientError]] = {
    400: InvalidRequest,
    404: ModelNotFound,
    413: InvalidRequest,
    429: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}


class RestRecommender(Recommender):
    """Speaks TF Serving's REST API, in its column format."""

    def __init__(
        self, url: str, model: str, version: int | None, timeout_s: float
    ) -> None:
        """Takes the server's URL, `http://host:port`; connects at the first call."""
        super().__init__(model, version, timeout_s)
        self._path = f"/v1/models/{quote(model, safe='')}"
        if version is not None:
            self._path += f"/versions/{version}"
        self._http = httpx.Client(base_url=url, trust_env=False)

    def status(self) -> list[VersionStatus]:
        """Returns the state of the chosen version, or of all, newest first."""
        entries = self._ask("model_version_status", "GET", self._path, self.timeout_s)
        return [
            VersionStatus(
                version=int(entry["version"]),
                state=entry["state"],
                error=entry["status"]["error_message"],
            )
            for entry in entries
        ]

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _fetch_signatures(self, timeout_s: float) -> dict[str, Signature]:
        metadata = self._ask("metadata", "GET", f"{self._path}/metadata", timeout_s)
        definitions = metadata["signature_def"]["signature_def"]
        try:
            return {
                name: Signature(
                    inputs=_specs(definition["inputs"]),
                    outputs=_specs(definition["outputs"]),
                )
                for name, definition in definitions.items()
                if not name.startswith("__")
            }
        except TensorError as error:
            raise ServerFault(f"model {self.model!r}: {error}") from error

    def _predict(
        self,
        name: str,
        signature: Signature,
        inputs: Mapping[str, Array],
        timeout_s: float,
    ) -> dict[str, Array]:
        values = {alias: _jsonable(array) for alias, array in inputs.items()}
        body = dumps({"signature_name": name, "inputs": values}, inputs.values())
        outputs = self._ask("outputs", "POST", f"{self._path}:predict", timeout_s, body)
        if len(signature.outputs) == 1:
            outputs = {next(iter(signature.outputs)): outputs}
        return {
            alias: _from_json(outputs[alias], spec)
            for alias, spec in signature.outputs.items()
        }

    def _ask(
        self,
        key: str,
        method: str,
        path: str,
        timeout_s: float,
        body: bytes | None = None,
    ) -> Any:
        """Returns what the answer holds under `key`."""
        try:
            response = self._http.request(method, path, content=body, timeout=timeout_s)
        except httpx.TimeoutException as error:
            raise DeadlineExceeded(
                f"{self._http.base_url}: no answer within {timeout_s} s"
            ) from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self._http.base_url}: not reached ({error}); is the server running?"
            ) from error
        return _unwrap(response, key)


def _unwrap(response: httpx.Response, key: str) -> Any:
    try:
        answer = loads(response.content)
    except JsonError:
        answer = None
    if response.status_code != httpx.codes.OK:
        key = "error"
    if not isinstance(answer, dict) or key not in answer:
        raise ServerFault(
            f"{response.url}: status {response.status_code} without {key!r} in a JSON "
            "object; is it a model server?"
        )
    if key == "error":
        raise _ERRORS.get(response.status_code, ServerFault)(
            f"{response.url}: {answer['error']}"
        )
    return answer[key]


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


def _to_bytes(element: str | dict[str, str]) -> bytes:
    if isinstance(element, str):
        return element.encode()
    return base64.b64decode(element["b64"])
