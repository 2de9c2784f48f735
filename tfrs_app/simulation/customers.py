"""The made shop's customers: what they like and how often they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.simulation.items import DIMENSIONS
from tfrs_app.simulation.options import ShopSize

SEGMENTS = ("family", "gourmet", "maker", "minimalist", "student", "traveller")
SEGMENT_SHARE = 0.4
"""Of a taste, what the segment decides."""
UNKNOWN_SHARE = 0.2
"""Of the customers, those whose segment the shop does not know."""
LATE_SHARE = 0.3
"""Of the customers, those who come for the first time after the first day."""
SESSIONS_A_DAY = 0.13


@dataclass(frozen=True)
class Customers:
    """Holds one value a user, `[users]`, unless said otherwise.

    Args:
        segment: int, position in `SEGMENTS`.
        segment_known: bool, whether the users table tells it.
        taste: float64 `[users, DIMENSIONS + 1]`, for items' traits; the last is
            negative for who minds a high price.
        sessions_a_day: float64, on a day of average activity.
        joined_day: int, before which the user does not come.
    """

    segment: np.ndarray
    segment_known: np.ndarray
    taste: np.ndarray
    sessions_a_day: np.ndarray
    joined_day: np.ndarray


def draw_customers(size: ShopSize, rng: np.random.Generator) -> Customers:
    """Draws the users."""
    n = size.users
    segment = rng.integers(len(SEGMENTS), size=n)
    shared = rng.normal(size=(len(SEGMENTS), DIMENSIONS))[segment]
    own = rng.normal(size=(n, DIMENSIONS))
    taste = np.sqrt(SEGMENT_SHARE) * shared + np.sqrt(1 - SEGMENT_SHARE) * own
    thrift = rng.normal(0.3, 0.2, n)
    late = rng.random(n) < LATE_SHARE
    return Customers(
        segment=segment,
        segment_known=rng.random(n) >= UNKNOWN_SHARE,
        taste=np.column_stack([taste / np.sqrt(DIMENSIONS), -thrift]),
        sessions_a_day=rng.gamma(2.0, SESSIONS_A_DAY / 2, n),
        joined_day=np.where(late, rng.integers(1, size.days, n), 0),
    )
