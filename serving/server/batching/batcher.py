"""Answers requests to one servable's signatures, in batches or one by one.

Without batching the same threads and the same kind of queue bound what runs and what
waits: one request a core runs, `REQUESTS_WAITING` wait for each signature.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np

from serving.server.batching.parameters import BatchingParameters
from serving.server.batching.scheduler import BatchScheduler, RunSignature, Waited
from serving.server.batching.sharing import Sharing
from serving.server.batching.task import Outputs, Task
from serving.server.errors import invalid
from serving.server.models.signature import Signature
from serving.tensor_codec import Array

REQUESTS_WAITING = 1000

_ONE_BY_ONE = BatchingParameters(
    max_batch_size=1, max_enqueued_batches=REQUESTS_WAITING
)


class Batcher:
    """Turns requests into tasks of a scheduler, and large ones into several."""

    def __init__(
        self,
        name: str,
        parameters: BatchingParameters | None,
        signatures: Mapping[str, Signature],
        run: RunSignature,
        waited: Waited | None = None,
    ) -> None:
        """Takes the signatures, what answers one's checked inputs, who is told."""
        self._batches = parameters is not None
        self._parameters = parameters or _ONE_BY_ONE
        self._signatures = signatures
        pad = self._parameters.pad_variable_length_inputs
        self._sharing = {n: Sharing.of(s, pad) for n, s in signatures.items()}
        self._scheduler = BatchScheduler(name, self._parameters, run, waited)

    @property
    def waiting_rows(self) -> int:
        """Returns how many rows wait for a batch; without batching, requests."""
        return self._scheduler.waiting_rows

    def submit(
        self, signature: str, inputs: Mapping[str, Array], deadline: float
    ) -> Future[Outputs]:
        """Returns the future outputs of a signature.

        Args:
            signature: name of one of the signatures.
            inputs: checked against it.
            deadline: `time.monotonic()` after which nobody waits for the answer.

        Raises:
            ServingError: INVALID_ARGUMENT for too large a request, UNAVAILABLE if the
                queue is full.
        """
        if not self._batches:
            alone = Task(signature, inputs, 1, None, deadline, time.monotonic())
            self._scheduler.submit([alone])
            return alone.answer
        sharing = self._sharing[signature]
        rows = sharing.rows(inputs)
        if rows == 0:
            return _answered(_no_rows(self._signatures[signature]))
        key = sharing.key(inputs)
        whole = Task(signature, inputs, rows, key, deadline, time.monotonic())
        if rows <= self._parameters.rows_a_batch:
            self._scheduler.submit([whole])
            return whole.answer
        parts = self._parts(whole)
        self._scheduler.submit(parts)
        return _together(parts)

    def close(self) -> None:
        """Takes no further request and returns when all that were taken have ended."""
        self._scheduler.close()

    def _parts(self, task: Task) -> list[Task]:
        """Returns a task that is too large for a batch in parts.

        Raises:
            ServingError: INVALID_ARGUMENT if that is not allowed, or not possible.
        """
        limits = self._parameters
        if not limits.enable_large_batch_splitting:
            raise invalid(
                f"Task size {task.rows} is larger than maximum batch size "
                f"{limits.max_batch_size}"
            )
        if task.key is None:
            raise invalid(
                f"Task size {task.rows} is larger than maximum batch size "
                f"{limits.rows_a_batch} and cannot be split: its inputs differ in "
                "their 0th dimension"
            )
        if task.rows > limits.rows_enqueued:
            raise invalid(
                f"Task size {task.rows} is larger than the queue, which holds "
                f"{limits.rows_enqueued} rows"
            )
        return [
            self._part(task, start)
            for start in range(0, task.rows, limits.rows_a_batch)
        ]

    def _part(self, task: Task, start: int) -> Task:
        end = min(start + self._parameters.rows_a_batch, task.rows)
        inputs = {
            name: array[start:end] if array.ndim else array
            for name, array in task.inputs.items()
        }
        return Task(
            task.signature, inputs, end - start, task.key, task.deadline, task.enqueued
        )


def _no_rows(signature: Signature) -> Outputs:
    """Returns outputs of zero rows; sizes that only the graph knows are 0."""
    return {
        name: np.empty(
            (0, *(size or 0 for size in (spec.shape or ())[1:])), spec.kind.dtype
        )
        for name, spec in signature.outputs.items()
    }


def _answered(outputs: Outputs) -> Future[Outputs]:
    answer: Future[Outputs] = Future()
    answer.set_result(outputs)
    return answer


def _together(parts: Sequence[Task]) -> Future[Outputs]:
    """Returns the future of all parts' rows, one below the other."""
    whole: Future[Outputs] = Future()
    lock, left = threading.Lock(), [len(parts)]

    def ended(_: Future[Outputs]) -> None:
        with lock:
            left[0] -= 1
            if left[0]:
                return
        if not whole.set_running_or_notify_cancel():
            return
        try:
            shares = [part.answer.result() for part in parts]
            whole.set_result(
                {name: np.concatenate([s[name] for s in shares]) for name in shares[0]}
            )
        except Exception as error:  # the first part's that failed
            whole.set_exception(error)

    for part in parts:
        part.answer.add_done_callback(ended)
    return whole
