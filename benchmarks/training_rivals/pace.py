"""What one training measured: its pace in steady state and what it had learnt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import tensorflow as tf


@dataclass(frozen=True)
class Run:
    """Holds what one process measured.

    Args:
        examples_per_s: once the first steps are over, input pipeline included.
        examples_per_cpu_s: the same by the processor time of all threads, which other
            programs on the machine change less.
        start_s: what the input pipeline takes before an epoch's first batch.
        losses: held-out loss a target, nats.
    """

    examples_per_s: float
    examples_per_cpu_s: float
    start_s: float
    losses: Mapping[str, float] = field(default_factory=dict)


class Pace(tf.keras.callbacks.Callback):
    """Notes when each step ended.

    Args:
        warm: first steps that do not count; the first one traces the graph.
    """

    def __init__(self, warm: int) -> None:
        super().__init__()
        self.warm = warm
        self.ends: list[tuple[float, float]] = []

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, float] | None = None
    ) -> None:
        """Notes the clock's and the processor's time."""
        self.ends.append((time.perf_counter(), time.process_time()))

    def rates(self, batch_size: int) -> tuple[float, float]:
        """Returns examples a second and a processor second of the steps that count."""
        examples = batch_size * (len(self.ends) - self.warm)
        first, last = self.ends[self.warm - 1], self.ends[-1]
        return examples / (last[0] - first[0]), examples / (last[1] - first[1])
