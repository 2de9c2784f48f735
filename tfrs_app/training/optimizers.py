"""An Adam that touches only the embedding rows which a batch has used."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class LazyAdam(tf.keras.optimizers.Adam):
    """Adam with row-wise updates of embeddings.

    Keras' Adam decays the moments of every row at every step, so a step costs as much
    as the whole table. Here the moments of a row rest until the row is used again,
    which also keeps rare items from drifting on stale momentum.
    Source of the variant: `LazyAdam` of TensorFlow Addons.
    """

    def update_step(self, gradient: Any, variable: tf.Variable) -> None:
        """Applies a gradient; a sparse one moves its own rows only."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        key = self._index_dict[self._var_key(variable)]
        m, v = self._momentums[key], self._velocities[key]
        rows, values = gradient.indices, gradient.values  # deduplicated by Keras
        m_rows = self.beta_1 * tf.gather(m, rows) + (1.0 - self.beta_1) * values
        v_rows = self.beta_2 * tf.gather(v, rows) + (1.0 - self.beta_2) * values**2
        m.scatter_update(tf.IndexedSlices(m_rows, rows))
        v.scatter_update(tf.IndexedSlices(v_rows, rows))
        step = tf.cast(self.iterations + 1, variable.dtype)
        correction = tf.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        rate = tf.cast(self.learning_rate, variable.dtype) * correction
        change = rate * m_rows / (tf.sqrt(v_rows) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(change, rows))
