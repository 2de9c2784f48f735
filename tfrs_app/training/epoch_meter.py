"""Shows how far an epoch of `fit` is, in the look of all long steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfrs_app.progress import Meter


class EpochMeter(tf.keras.callbacks.Callback):
    """Counts the examples of an epoch and tells the loss.

    The loss stays a tensor until it is shown: a number each step would make every step
    wait for the last one.

    Args:
        meter: of the epoch.
        batch_size: examples a step.
    """

    _supports_tf_logs = True  # Keras' own mark of who takes tensors

    def __init__(self, meter: Meter, batch_size: int) -> None:
        super().__init__()
        self._meter, self._batch_size = meter, batch_size

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Counts a step."""
        loss = (logs or {}).get("loss", float("nan"))
        self._meter.advance(self._batch_size, lambda: f"loss {float(loss):.4f}")
