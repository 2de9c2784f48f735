"""Tasks that wait, by what they may share a batch with; no threads, no locks."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Sequence

import grpc

from serving.server.batching.parameters import BatchingParameters
from serving.server.batching.task import Task
from serving.server.errors import ServingError

_MICROS = 1e6


class TaskQueue:
    """Forms batches of waiting tasks, first come, first served within a key."""

    def __init__(self, parameters: BatchingParameters) -> None:
        """Takes how large batches are, how long they wait, and how many may wait."""
        self._rows_a_batch = parameters.rows_a_batch
        self._rows_enqueued = parameters.rows_enqueued
        self._patience_s = parameters.batch_timeout_micros / _MICROS
        self._lanes: dict[Hashable, deque[Task]] = {}
        self._rows: Counter[str] = Counter()  # by signature

    @property
    def rows(self) -> int:
        """Returns how many rows wait."""
        return self._rows.total()

    def add(self, tasks: Sequence[Task]) -> None:
        """Takes all parts of a request, or none.

        Raises:
            ServingError: UNAVAILABLE if the signature's queue has no room.
        """
        signature, rows = tasks[0].signature, sum(task.rows for task in tasks)
        if self._rows[signature] + rows > self._rows_enqueued:
            raise ServingError(
                grpc.StatusCode.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full",
            )
        self._rows[signature] += rows
        for task in tasks:
            self._lanes.setdefault(_lane(task), deque()).append(task)

    def take(self, now: float) -> list[Task]:
        """Returns the batch that is due and has waited longest; empty if none is.

        Args:
            now: `time.monotonic()`.
        """
        due = [lane for lane in self._lanes.values() if self._due(lane) <= now]
        if not due:
            return []
        lane = min(due, key=lambda lane: lane[0].enqueued)
        batch = [lane.popleft()]
        rows = batch[0].rows
        while lane and rows + lane[0].rows <= self._rows_a_batch:
            rows += lane[0].rows
            batch.append(lane.popleft())
        if not lane:
            del self._lanes[_lane(batch[0])]
        self._rows[batch[0].signature] -= rows
        return batch

    def next_due(self) -> float | None:
        """Returns when the next batch closes, as `time.monotonic()`; None: no task."""
        return min(map(self._due, self._lanes.values()), default=None)

    def _due(self, lane: deque[Task]) -> float:
        if not self._patience_s or lane[0].key is None or self._is_full(lane):
            return lane[0].enqueued
        return lane[0].enqueued + self._patience_s

    def _is_full(self, lane: deque[Task]) -> bool:
        """Tells whether a batch of these tasks could take no further one."""
        return sum(task.rows for task in lane) >= self._rows_a_batch


def _lane(task: Task) -> Hashable:
    return task if task.key is None else task.key
