"""One request, or a part of one, that waits to be run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from serving.tensor_codec import Array

Outputs = dict[str, Array]


@dataclass(slots=True, eq=False)
class Task:
    """Holds one signature's inputs and where its outputs go.

    Attributes:
        signature: the signature's name.
        inputs: arrays by name, checked.
        rows: size of the first dimension of all inputs but scalars.
        key: tasks of one key may share a batch; None runs alone.
        deadline: `time.monotonic()` after which nobody waits for the answer.
        enqueued: `time.monotonic()` of its arrival.
        answer: of the outputs, or a `ServingError`.
    """

    signature: str
    inputs: Mapping[str, Array]
    rows: int
    key: Hashable | None
    deadline: float
    enqueued: float
    answer: Future[Outputs] = field(default_factory=Future)
