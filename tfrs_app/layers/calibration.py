"""Scores to probabilities, fitted on lists that nothing was trained on."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from scipy.optimize import isotonic_regression

NEWTON_STEPS = 50
KNOTS = 200


class Calibration(tf.Module):
    """Maps one task's logits to calibrated logits, never changing their order.

    A piecewise linear function: Platt's straight line has two knots (Platt 1999), an
    isotonic regression's many (Zadrozny and Elkan 2002,
    https://doi.org/10.1145/775047.775151).
    """

    def __init__(self) -> None:
        super().__init__(name="calibration")
        knots = tf.constant([0.0, 1.0])
        self.x = tf.Variable(knots, shape=[None], trainable=False)
        self.y = tf.Variable(knots, shape=[None], trainable=False)

    def fit(
        self, method: str, logits: np.ndarray, labels: np.ndarray, weight: np.ndarray
    ) -> None:
        """Fits the knots.

        Args:
            method: `platt` or `isotonic`.
            logits: float `[n]`.
            labels: bool `[n]`.
            weight: float `[n]`, how many examples each stands for.
        """
        if not len(logits):
            return
        x, y = (_platt if method == "platt" else _isotonic)(logits, labels, weight)
        self.x.assign(x.astype(np.float32))
        self.y.assign(y.astype(np.float32))

    def __call__(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns calibrated logits of any shape; the outer lines go on for ever."""
        flat = tf.reshape(logits, [-1])
        right = tf.searchsorted(self.x, flat)
        right = tf.clip_by_value(right, 1, tf.shape(self.x)[0] - 1)
        x0, x1 = tf.gather(self.x, right - 1), tf.gather(self.x, right)
        y0, y1 = tf.gather(self.y, right - 1), tf.gather(self.y, right)
        calibrated = y0 + (flat - x0) * (y1 - y0) / (x1 - x0)
        return tf.reshape(calibrated, tf.shape(logits))


def _platt(
    logits: np.ndarray, labels: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns two points of the line a + b x that maximises the likelihood."""
    # Counted in deviations from the mean, logits of any scale and offset are alike.
    mean = logits.mean(dtype=float)
    unit = max(logits.std(dtype=float), 1e-6 * (1.0 + abs(mean)))
    design = np.stack([np.ones(len(logits)), (logits - mean) / unit], axis=1)
    # Platt's targets keep the line finite where the labels could be told apart.
    positive, total = weight[labels].sum(), weight.sum()
    high, low = (positive + 1) / (positive + 2), 1 / (total - positive + 2)
    target = np.where(labels, high, low)

    def loss(line: np.ndarray) -> float:
        z = design @ line
        return float(weight @ (np.logaddexp(0.0, z) - target * z))

    line = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ line, -30, 30)))
        gradient = design.T @ (weight * (target - p))
        curvature = (design * (weight * p * (1 - p))[:, np.newaxis]).T @ design
        step = np.linalg.solve(curvature + 1e-6 * np.eye(2), gradient)
        if np.abs(step).max() < 1e-6:
            break
        while loss(line + step) > loss(line):  # too far: Newton's steps may diverge
            step = step / 2
        line = line + step
    line[1] = max(line[1], 1e-3)  # never turns an order round
    return np.array([mean, mean + unit]), np.array([line[0], line.sum()])


def _isotonic(
    logits: np.ndarray, labels: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # Equal logits are one, whatever their labels; the knots are kept as float32.
    x, same = np.unique(logits.astype(np.float32), return_inverse=True)
    total = np.bincount(same, weight)
    share = np.bincount(same, weight * labels) / total
    fitted = isotonic_regression(share, weights=total).x
    place = np.unique(np.linspace(0, len(x) - 1, KNOTS).astype(int))
    floor = 1 / (weight.sum() + 2)
    x, p = x[place].astype(float), np.clip(fitted[place], floor, 1 - floor)
    # A slight slope keeps the order of what lies on one step.
    y = np.log(p / (1 - p)) + 1e-3 * (x - x[0])
    if len(x) < 2:
        return np.append(x, x + 1.0), np.append(y, y + 1e-3)
    return x, y
