"""How sure a mean over users is: bootstrap intervals, alone and in pairs.

Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap (percentile method).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

CONFIDENCE = 0.95
RESAMPLES_A_STEP = 100


class Outcome(StrEnum):
    """What a paired comparison comes to."""

    BEATS = "beats"
    TIES = "is not distinguishable from"
    LOSES = "loses to"


@dataclass(frozen=True)
class Interval:
    """Holds the bounds within which 95 % of the resampled values lie."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Compares two models on the same users.

    Args:
        value: mean of the one minus mean of the other.
        interval: of that difference.
        relative: the difference over the other's mean; None where that is 0.
        relative_interval: of that quotient; None where a resampled mean is 0.
    """

    value: float
    interval: Interval
    relative: float | None
    relative_interval: Interval | None

    @property
    def outcome(self) -> Outcome:
        """Returns whether 0 lies outside the interval, and on which side."""
        if self.interval.low > 0:
            return Outcome.BEATS
        return Outcome.LOSES if self.interval.high < 0 else Outcome.TIES


def resampled_means(
    values: Mapping[str, np.ndarray], resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Returns the mean of each metric over resampled users, float64 `[resamples]`.

    A resample draws as many users as there are, with replacement. All metrics see the
    same draws, so differences of their resampled means are paired.

    Args:
        values: `[users]` each, of the same users, at least one.
        resamples: number of draws.
        seed: of the draws.
    """
    table = np.stack(list(values.values()), axis=1)  # [users, metrics]
    users = len(table)
    rng = np.random.default_rng(seed)
    means = []
    for start in range(0, resamples, RESAMPLES_A_STEP):
        count = min(RESAMPLES_A_STEP, resamples - start)
        drawn = rng.integers(users, size=(count, users))
        drawn += np.arange(count)[:, np.newaxis] * users
        times = np.bincount(drawn.ravel(), minlength=count * users)
        means.append(times.reshape(count, users) @ table / users)
    return dict(zip(values, np.concatenate(means).T, strict=True))


def interval_of(resampled: np.ndarray) -> Interval:
    """Returns the percentile interval of resampled values."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(float(low), float(high))


def difference_of(
    one: float, other: float, resampled: np.ndarray, resampled_other: np.ndarray
) -> Difference:
    """Compares two means whose resamples drew the same users."""
    relative = None if other == 0 else one / other - 1
    relative_interval = None
    if (resampled_other > 0).all():
        relative_interval = interval_of(resampled / resampled_other - 1)
    return Difference(
        value=one - other,
        interval=interval_of(resampled - resampled_other),
        relative=relative,
        relative_interval=relative_interval,
    )
