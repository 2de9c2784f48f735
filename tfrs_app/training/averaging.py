"""Averages of weights over the steps of a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf


class AveragedWeights(tf.Module):
    """Follows weights and remembers their mean, in which older steps fade.

    The mean of noisy steps is nearer the optimum than the last of them (Polyak and
    Juditsky 1992, https://doi.org/10.1137/0330046).

    Args:
        variables: that are trained.
        decay: how much a step counts of the next one; 0: the mean is the last step.
    """

    def __init__(self, variables: Sequence[tf.Variable], decay: float) -> None:
        super().__init__(name="averaged_weights")
        self.decay = decay
        self._followed = list(variables)
        self.means = [tf.Variable(each, trainable=False) for each in variables]

    def update(self, step: tf.Tensor) -> None:
        """Takes the weights in as they are after a step, counted from 1.

        The first steps fade sooner, so that the weights at the start are forgotten.
        """
        step = tf.cast(step, tf.float32)
        decay = tf.minimum(self.decay, step / (10.0 + step))
        for mean, variable in zip(self.means, self._followed, strict=True):
            mean.assign(decay * mean + (1.0 - decay) * variable)

    def give(self) -> None:
        """Sets the weights to their mean."""
        for mean, variable in zip(self.means, self._followed, strict=True):
            variable.assign(mean)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Sets the weights to their mean while the context is open."""
        last = [tf.identity(variable) for variable in self._followed]
        self.give()
        yield
        for variable, value in zip(self._followed, last, strict=True):
            variable.assign(value)
