"""The limit: a loop over the session callable that the server runs, in ideal batches.

    python limit.py VERSION_FOLDER QUESTIONS_FOLDER BATCH CORE

Reads lines `SIGNATURE SECONDS`, prints one JSON object for each: users a second.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

from messages import SIGNATURES, read_messages
from tensorflow_serving.apis import predict_pb2

from serving.server.batching.joining import joined
from serving.server.batching.task import Task
from serving.server.models.servable import Servable
from serving.tensor_codec import Array, decode

BATCHES = 40


def main() -> None:
    """Answers lines until there are none."""
    version, folder, batch, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    servable = Servable("limit", 1, Path(version))
    feeds = {
        name: _feeds(servable, name, Path(folder), int(batch)) for name in SIGNATURES
    }
    for name in SIGNATURES:  # the first call pays for what is made once
        servable._callables[name](feeds[name][0])
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        name, seconds = line.split()
        run = servable._callables[name]
        users, began, cpu = 0, time.perf_counter(), time.process_time()
        while (passed := time.perf_counter() - began) < float(seconds):
            run(feeds[name][users // int(batch) % BATCHES])
            users += int(batch)
        told = {"qps": users / passed, "cpu": (time.process_time() - cpu) / users}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _feeds(
    servable: Servable, name: str, folder: Path, batch: int
) -> list[list[Array]]:
    """Returns `BATCHES` batches of random users, ready for the callable."""
    draw, requests = random.Random(0), []
    for message in read_messages(folder / f"{name}.grpc"):
        request = predict_pb2.PredictRequest.FromString(message)
        inputs = {alias: decode(proto) for alias, proto in request.inputs.items()}
        requests.append(Task(name, inputs, 1, None, 0.0, 0.0))
    return [
        servable.signatures[name].completed(
            joined([draw.choice(requests) for _ in range(batch)], batch)
        )
        for _ in range(BATCHES)
    ]


if __name__ == "__main__":
    main()
