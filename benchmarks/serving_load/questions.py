"""The requests of a shop's test users, as bytes for both protocols.

    python questions.py CONFIG FOLDER COUNT

Prints the folder of the model's newest version.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from messages import SIGNATURES, write_messages
from rich.console import Console
from tensorflow_serving.apis import predict_pb2

from serving.json_text import dumps
from serving.tensor_codec import encode_content
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.raw_queries import raw_queries

K = 20


def main() -> None:
    """Writes the requests of a shop's published model."""
    config, folder, count = sys.argv[1:]
    stages = Stages(load_config(Path(config), []), Console(stderr=True))
    model = stages.layout.model(stages.config.shop)
    length = stages.history_length
    write_questions(
        Path(folder), stages.encoded.dataset, model.name, length, int(count)
    )
    numbers = [int(p.name) for p in model.iterdir() if p.name.isdigit()]
    sys.stdout.write(f"{model / str(max(numbers))}\n")


def write_questions(
    folder: Path, dataset: Dataset, model: str, history_length: int, count: int
) -> None:
    """Writes `SIGNATURE.grpc` and `SIGNATURE.rest`, the same requests in each.

    Users are drawn at random from those with a purchase in the test window, each as of
    the window's begin.
    """
    asked = _inputs(dataset, history_length, count)
    for signature in SIGNATURES:
        grpc = [_grpc(model, signature, inputs) for inputs in asked]
        rest = [_rest(model, signature, inputs) for inputs in asked]
        write_messages(folder / f"{signature}.grpc", grpc)
        write_messages(folder / f"{signature}.rest", rest)


def _inputs(
    dataset: Dataset, history_length: int, count: int
) -> list[dict[str, np.ndarray]]:
    log, random = dataset.events, np.random.default_rng(0)
    start = dataset.split.test_start
    before = np.concatenate([[0], np.cumsum(log.timestamp < start)])
    after = np.concatenate([[0], np.cumsum(log.timestamp >= start)])
    first, last = log.row_splits[:-1], log.row_splits[1:]
    known = np.flatnonzero(
        (before[last] > before[first]) & (after[last] > after[first])
    )
    asked = []
    for user in random.choice(known, count):
        end = first[[user]] + before[last[[user]]] - before[first[[user]]]
        moment = np.array([start])
        inputs = raw_queries(dataset, np.array([user]), end, moment, history_length)
        asked.append({**inputs, "k": np.array(K, np.int32)})
    return asked


def _grpc(model: str, signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        encode_content(array, request.inputs[name])
    message: bytes = request.SerializeToString()
    return message


def _rest(model: str, signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    values: dict[str, Any] = {
        name: np.vectorize(bytes.decode, otypes=[object])(array).tolist()
        if array.dtype == object
        else array
        for name, array in inputs.items()
    }
    body = dumps({"signature_name": signature, "inputs": values}, inputs.values())
    head = (
        f"POST /v1/models/{model}:predict HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    main()
