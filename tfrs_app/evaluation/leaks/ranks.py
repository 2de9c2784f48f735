"""Rank statistics, equal values sharing their mean rank."""

from __future__ import annotations

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Returns the mean rank of each value, from 1, float64 `[n]`."""
    _, number, count = np.unique(values, return_inverse=True, return_counts=True)
    mean = np.cumsum(count) - (count - 1) / 2
    rank: np.ndarray = mean[number]
    return rank


def rank_correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Returns Spearman's coefficient; 0 if one side is constant."""
    a, b = ranks(left), ranks(right)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else 0.0


def auc(values: np.ndarray, positive: np.ndarray) -> float:
    """Returns how likely a positive has a greater value than a negative (AUC).

    Raises:
        ValueError: there are no positives or no negatives.
    """
    yes = int(positive.sum())
    no = len(positive) - yes
    if not yes or not no:
        raise ValueError(f"needs both classes, received {yes} and {no}")
    above = ranks(values)[positive].sum() - yes * (yes + 1) / 2
    return float(above / (yes * no))
