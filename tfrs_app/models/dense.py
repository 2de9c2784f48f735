"""Weights of three precisions, and a matrix product and bias made of them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import tensorflow as tf

from tfrs_app.contract.text_config import Precision

LEVELS = 127
"""Greatest magnitude of an int8 weight."""

Parameter: TypeAlias = tf.Variable | np.ndarray


def parameter(
    values: np.ndarray, dtype: tf.DType, name: str, precision: Precision
) -> Parameter:
    """Returns a variable in float32, else an array that a graph takes as a constant.

    Of constant bfloat16 weights oneDNN keeps the layout that its matrix unit wants; of
    variables it makes that layout at each call, which took half of the time.
    """
    if precision == "float32":
        return tf.Variable(values, dtype=dtype, name=name)
    array: np.ndarray = values.astype(dtype.as_numpy_dtype)
    return array


class BiasedDense(tf.Module):
    """Computes `values @ kernel + bias`, float32 or bfloat16 as the precision says."""

    def __init__(
        self, kernel: np.ndarray, bias: np.ndarray, name: str, precision: Precision
    ) -> None:
        super().__init__()
        self.dtype = tf.float32 if precision == "float32" else tf.bfloat16
        self.kernel = parameter(kernel, self.dtype, f"{name}/kernel", precision)
        self.bias = parameter(bias, self.dtype, f"{name}/bias", precision)

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Returns `[n, out]` of values `[n, in]`."""
        product = tf.matmul(tf.cast(values, self.dtype), self._kernel())
        return tf.nn.bias_add(product, self.bias)

    def wide(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the same as float32, for sums and norms."""
        return tf.cast(self(values), tf.float32)

    def _kernel(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.kernel)


class Int8Dense(BiasedDense):
    """Keeps int8 weights with a scale an output, and widens them at each call."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, name: str) -> None:
        greatest = np.maximum(np.abs(kernel).max(axis=0), np.finfo(np.float32).tiny)
        levels = np.rint(kernel / greatest * LEVELS)
        super().__init__(kernel, bias, name, "int8")
        self.kernel = parameter(levels, tf.int8, f"{name}/kernel", "int8")
        self.scale = parameter(greatest / LEVELS, tf.bfloat16, f"{name}/scale", "int8")

    def _kernel(self) -> tf.Tensor:
        return tf.cast(self.kernel, tf.bfloat16) * self.scale


def dense(
    kernel: np.ndarray, bias: np.ndarray, name: str, precision: Precision
) -> BiasedDense:
    """Makes the product of a kernel `[in, out]` and bias `[out]` in a precision."""
    if precision == "int8":
        return Int8Dense(kernel, bias, name)
    return BiasedDense(kernel, bias, name, precision)
