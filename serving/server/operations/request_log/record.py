"""One record of a request log, as a line of JSON or as TF Serving's PredictionLog."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import google_crc32c
import orjson
from tensorflow_serving.apis import prediction_log_pb2

from serving.server.configs.logging import LogType
from serving.tensor_codec import Array, encode

_OBJECT_BYTES = 64
"""What a string of an array takes, about."""


@dataclass(frozen=True)
class Record:
    """Holds an answered request.

    Attributes:
        time: of the answer, seconds since the epoch, UTC.
        users: for whom it asked, as keyed hashes; one for all rows, one a row, or none.
        sampling_rate: the chance that such a request had to be recorded.
    """

    time: float
    model: str
    version: int
    signature: str
    entrypoint: str
    users: tuple[str, ...]
    sampling_rate: float
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]

    @property
    def size(self) -> int:
        """Returns the memory that the record keeps, in bytes, about."""
        return sum(
            array.size * _OBJECT_BYTES if array.dtype == object else array.nbytes
            for array in (*self.inputs.values(), *self.outputs.values())
        )

    def encoded(self, form: LogType) -> bytes:
        """Returns the bytes to append to a file."""
        return self._line() if form is LogType.JSONL else _framed(self._message())

    def _line(self) -> bytes:
        document = {
            "time": round(self.time, 3),
            "model": self.model,
            "version": self.version,
            "signature": self.signature,
            "entrypoint": self.entrypoint,
            "users": self.users,
            "sampling_rate": self.sampling_rate,
            "inputs": {name: _plain(array) for name, array in self.inputs.items()},
            "outputs": {name: _plain(array) for name, array in self.outputs.items()},
        }
        # orjson writes NaN, a missing number, as null.
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)

    def _message(self) -> bytes:
        log = prediction_log_pb2.PredictionLog()
        metadata = log.log_metadata
        metadata.timestamp_secs = int(self.time)
        metadata.sampling_config.sampling_rate = self.sampling_rate
        # The message has no field for users; that of a request's origin is the closest.
        metadata.request_origin = ",".join(self.users)
        request = log.predict_log.request
        for spec in (metadata.model_spec, request.model_spec):
            spec.name = self.model
            spec.version.value = self.version
            spec.signature_name = self.signature
        for name, array in self.inputs.items():
            encode(array, request.inputs[name])
        response = log.predict_log.response
        response.model_spec.CopyFrom(metadata.model_spec)
        for name, array in self.outputs.items():
            encode(array, response.outputs[name])
        content: bytes = log.SerializeToString()
        return content


def _plain(array: Array) -> Any:
    values = array.tolist()
    return _texts(values) if array.dtype == object else values


def _texts(value: Any) -> Any:
    """Returns byte strings as texts, or as `{"b64": ...}` where they are none."""
    if isinstance(value, list):
        return [_texts(element) for element in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(value).decode()}
    return value


def _framed(content: bytes) -> bytes:
    """Returns a TFRecord.

    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _checksum(content: bytes) -> bytes:
    crc = google_crc32c.value(content)
    rotated = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)
