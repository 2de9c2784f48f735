"""Requests and answers as JSON, between a process with TensorFlow and one without.

Strings travel in base64: ids are bytes, and no reader may run what it reads.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

STRING = "string"


@dataclass(frozen=True)
class Run:
    """Asks for values of a graph, all by the names that tensors have in it.

    Attributes:
        feeds: what is given.
        fetches: what is wanted, by any name.
    """

    feeds: dict[str, np.ndarray]
    fetches: dict[str, str]

    def plain(self) -> dict[str, Any]:
        """Returns this as JSON's types."""
        feeds = {name: plain(value) for name, value in self.feeds.items()}
        return {"feeds": feeds, "fetches": self.fetches}

    @classmethod
    def of(cls, value: dict[str, Any]) -> Run:
        """Returns what `plain` was called on."""
        feeds = {name: array_of(tensor) for name, tensor in value["feeds"].items()}
        return cls(feeds, value["fetches"])


def plain(array: np.ndarray) -> dict[str, Any]:
    """Returns an array as JSON's types; objects are byte strings."""
    is_string = array.dtype == object
    values = array.ravel().tolist()
    return {
        "dtype": STRING if is_string else array.dtype.name,
        "shape": list(array.shape),
        "values": [base64.b64encode(v).decode() for v in values]
        if is_string
        else values,
    }


def array_of(value: dict[str, Any]) -> np.ndarray:
    """Returns the array that `plain` was called on."""
    if value["dtype"] != STRING:
        return np.array(value["values"], value["dtype"]).reshape(value["shape"])
    array = np.empty(len(value["values"]), dtype=object)
    array[:] = [base64.b64decode(text) for text in value["values"]]
    return array.reshape(value["shape"])
