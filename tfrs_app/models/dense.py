"""One matrix product and bias, with weights of three precisions."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfrs_app.contract.text_config import Precision

LEVELS = 127
"""Greatest magnitude of an int8 weight."""


class BiasedDense(tf.Module):
    """Computes `values @ kernel + bias` in the type of its weights."""

    def __init__(
        self, kernel: np.ndarray, bias: np.ndarray, name: str, dtype: tf.DType
    ) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.cast(kernel, dtype), name=f"{name}/kernel")
        self.bias = tf.Variable(tf.cast(bias, dtype), name=f"{name}/bias")

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Returns `[n, out]` of values `[n, in]`."""
        kernel = self._kernel()
        product = tf.matmul(tf.cast(values, kernel.dtype), kernel)
        return tf.nn.bias_add(product, self.bias)

    def wide(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the same as float32, for sums and norms."""
        return tf.cast(self(values), tf.float32)

    def _kernel(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.kernel)


class Int8Dense(BiasedDense):
    """Keeps int8 weights with a scale an output, and widens them at each call."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, name: str) -> None:
        tf.Module.__init__(self)
        scale = np.maximum(np.abs(kernel).max(axis=0), np.finfo(np.float32).tiny)
        levels = np.rint(kernel / scale * LEVELS).astype(np.int8)
        self.kernel = tf.Variable(levels, trainable=False, name=f"{name}/kernel")
        self.scale = tf.Variable(
            tf.cast(scale / LEVELS, tf.bfloat16), name=f"{name}/scale"
        )
        self.bias = tf.Variable(tf.cast(bias, tf.bfloat16), name=f"{name}/bias")

    def _kernel(self) -> tf.Tensor:
        return tf.cast(self.kernel, tf.bfloat16) * self.scale


def dense(
    kernel: np.ndarray, bias: np.ndarray, name: str, precision: Precision
) -> BiasedDense:
    """Makes the product of a kernel `[in, out]` and bias `[out]` in a precision."""
    if precision == "int8":
        return Int8Dense(kernel, bias, name)
    dtype = tf.float32 if precision == "float32" else tf.bfloat16
    return BiasedDense(kernel, bias, name, dtype)
