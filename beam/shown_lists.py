"""Lists that a server showed, as one record of its request log tells them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
from google.protobuf.message import DecodeError

from beam.logged_messages import PREDICTION_LOG
from tfrs_app.contract.dataset import TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, USER_ID
from tfrs_app.contract.impressions import (
    LIST_ID,
    MODEL,
    MODEL_VERSION,
    POSITION,
    SAMPLING_RATE,
    SIGNATURE,
)

IMPRESSIONS = pa.schema(
    [
        (USER_ID, pa.string()),
        (ITEM_ID, pa.string()),
        (TIMESTAMP, pa.int64()),
        (POSITION, pa.int32()),
        (LIST_ID, pa.string()),
        (MODEL, pa.string()),
        (MODEL_VERSION, pa.int64()),
        (SIGNATURE, pa.string()),
        (SAMPLING_RATE, pa.float64()),
    ]
)
NO_RECORD = "not a record of a request log"
NO_LISTS = "item_id is no list of lists of texts"
WRONG_USERS = "users fit neither the request nor each of its rows"

_MAX_SECONDS = 253_402_300_799  # the end of the year 9999


class RecordError(ValueError):
    """Reports why a record cannot be used; its text is the reason of the reject."""


@dataclass(frozen=True)
class ShownLists:
    """Holds the lists of one answer, one for each row of its request.

    Attributes:
        users: one for all lists, one for each, or none.
        items: of each list, best first; an empty id fills a short list up.
    """

    timestamp: int
    model: str
    version: int
    signature: str
    sampling_rate: float
    users: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        """Checks users, time and version.

        Raises:
            RecordError: they cannot be.
        """
        if len(self.users) not in (0, 1, len(self.items)):
            raise RecordError(WRONG_USERS)
        if not (0 < self.timestamp <= _MAX_SECONDS and 0 <= self.version < 1 << 63):
            raise RecordError(NO_RECORD)

    def rows(self, record: str) -> Iterator[tuple[Any, ...]]:
        """Yields the impressions; `record` tells one record from another."""
        said = (self.model, self.version, self.signature, self.sampling_rate)
        for place, items in enumerate(self.items):
            user = self._user(place)
            for position, item in enumerate(items):
                if item:
                    moment = (self.timestamp, position, f"{record}/{place}")
                    yield (user, item, *moment, *said)

    def _user(self, place: int) -> str | None:
        if not self.users:
            return None
        return self.users[place] if len(self.users) > 1 else self.users[0]


def from_line(line: bytes) -> ShownLists | None:
    """Returns the lists of a line of JSON; None: its answer holds no items.

    Raises:
        RecordError: it is no record, or its items are no lists.
    """
    try:
        record = orjson.loads(line)
        if ITEM_ID not in (outputs := dict(record["outputs"].items())):
            return None
        return ShownLists(
            timestamp=int(record["time"]),
            model=_text(record["model"]),
            version=int(record["version"]),
            signature=_text(record["signature"]),
            sampling_rate=float(record["sampling_rate"]),
            users=tuple(map(_text, record["users"])),
            items=_lists(outputs[ITEM_ID]),
        )
    except RecordError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise RecordError(NO_RECORD) from error


def from_message(content: bytes) -> ShownLists | None:
    """Returns the lists of a PredictionLog; None: its answer holds no items.

    Raises:
        RecordError: it is none, or its items are no lists.
    """
    log = PREDICTION_LOG()
    try:
        log.ParseFromString(content)
    except DecodeError as error:
        raise RecordError(NO_RECORD) from error
    if not log.HasField("predict_log") or not log.HasField("log_metadata"):
        raise RecordError(NO_RECORD)
    outputs = {entry.key: entry.value for entry in log.predict_log.response.outputs}
    if ITEM_ID not in outputs:
        return None
    metadata = log.log_metadata
    return ShownLists(
        timestamp=metadata.timestamp_secs,
        model=metadata.model_spec.name,
        version=metadata.model_spec.version.value,
        signature=metadata.model_spec.signature_name,
        sampling_rate=metadata.sampling_config.sampling_rate,
        users=tuple(filter(None, metadata.request_origin.split(","))),
        items=_matrix(outputs[ITEM_ID]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise RecordError(NO_RECORD)
    return value


def _lists(value: Any) -> tuple[tuple[str, ...], ...]:
    try:
        return tuple(tuple(map(_item, row)) for row in _listed(value))
    except (TypeError, ValueError) as error:
        raise RecordError(NO_LISTS) from error


def _listed(value: Any) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise TypeError(NO_LISTS)
    return value


def _item(value: Any) -> str:
    """Returns an id: a text, or the bytes that were none in the server's eyes."""
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["b64"], validate=True).decode()
        except (KeyError, binascii.Error) as error:
            raise ValueError(NO_LISTS) from error
    if not isinstance(value, str):
        raise TypeError(NO_LISTS)
    return value


def _matrix(tensor: Any) -> tuple[tuple[str, ...], ...]:
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    values = tensor.string_val
    if len(shape) != len(("batch", "k")) or shape[0] * shape[1] != len(values):
        raise RecordError(NO_LISTS)
    try:
        texts = [value.decode() for value in values]
    except UnicodeDecodeError as error:
        raise RecordError(NO_LISTS) from error
    rows, width = shape
    return tuple(tuple(texts[n * width : (n + 1) * width]) for n in range(rows))
