"""Requests and answers of a model server as its REST API writes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from serving.client import Exchange
from serving.tensor_codec import Array


def shown(exchange: Exchange) -> dict[str, Any]:
    """Returns a call as the developer panel shows it.

    Over REST these are the bodies; what went over gRPC is written the same way.
    """
    return {
        "signature": exchange.signature,
        "ms": round(exchange.elapsed_s * 1000, 2),
        "request": {
            "signature_name": exchange.signature,
            "inputs": {name: _plain(value) for name, value in exchange.inputs.items()},
        },
        "response": _outputs(exchange),
    }


def _outputs(exchange: Exchange) -> dict[str, Any]:
    outputs = {name: _plain(value) for name, value in exchange.outputs.items()}
    # TensorFlow Serving leaves the name of an only output out.
    only = len(outputs) == 1
    return {"outputs": next(iter(outputs.values())) if only else outputs}


def _plain(array: Array) -> Any:
    if array.dtype == np.float32:  # 0.1, not 0.10000000149
        array = array.astype(str).astype(np.float64)
    return _decoded(array.tolist())


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(element) for element in value]
    return value.decode(errors="replace") if isinstance(value, bytes) else value
