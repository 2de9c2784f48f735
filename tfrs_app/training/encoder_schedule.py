"""The learning rate of a fine-tuned encoder: a linear rise, then steady or falling."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class LinearWarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to a peak, which the last warm-up step has, then stays or falls.

    Large first steps make a pretrained BERT forget (Devlin et al. 2019, appendix A.2).

    Args:
        peak: greatest learning rate.
        warmup_steps: steps of the rise; 0 starts at the peak.
        total_steps: step from which on the rate is 0, reached on a line from the peak;
            None keeps the peak.

    Raises:
        ValueError: the warm-up does not end before the total.
    """

    def __init__(
        self, peak: float, warmup_steps: int, total_steps: int | None = None
    ) -> None:
        super().__init__()
        if total_steps is not None and total_steps <= warmup_steps:
            raise ValueError(
                f"total_steps {total_steps} must exceed warmup_steps {warmup_steps}"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the float32 rate of a step, counted from 0."""
        done = tf.cast(step, tf.float32)
        share = tf.minimum((done + 1.0) / max(self.warmup_steps, 1), 1.0)
        if self.total_steps is not None:
            left = (self.total_steps - done) / (self.total_steps - self.warmup_steps)
            share = tf.minimum(share, tf.maximum(left, 0.0))
        return self.peak * share

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }
