"""The learning rate of a fine-tuned encoder: a linear rise, then steady."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class LinearWarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to a peak, which the last warm-up step has, and stays there.

    Large first steps make a pretrained BERT forget (Devlin et al. 2019, appendix A.2).

    Args:
        peak: greatest learning rate.
        warmup_steps: steps of the rise; 0 starts at the peak.
    """

    def __init__(self, peak: float, warmup_steps: int) -> None:
        super().__init__()
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the float32 rate of a step, counted from 0."""
        taken = tf.cast(step, tf.float32) + 1.0
        return self.peak * tf.minimum(taken / max(self.warmup_steps, 1), 1.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}
