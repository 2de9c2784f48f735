"""The made shop's calendar: the week, the year, and a season for each category."""

from __future__ import annotations

import numpy as np

from tfrs_app.simulation.items import CATEGORIES
from tfrs_app.simulation.options import START

WEEK = (0.9, 0.85, 0.9, 0.95, 1.1, 1.3, 1.0)
"""Activity from Monday to Sunday; the mean is 1."""
YEAR = 0.2
"""By how much activity rises in December and falls in June."""
CHRISTMAS = 350
YEAR_DAYS = 365.25
AMPLITUDE = 0.8
"""Of a category's season, on the logarithm of how often its items are met."""


def activity(days: int) -> np.ndarray:
    """Returns how many sessions each day sees, as a multiple, float64 `[days]`."""
    day = np.arange(days)
    week = np.array(WEEK)[(START.weekday() + day) % 7]
    return week * (1 + YEAR * _wave(days, np.array([CHRISTMAS]))[:, 0])


def draw_seasons(days: int, rng: np.random.Generator) -> np.ndarray:
    """Returns each category's logarithmic season, float64 `[days, categories]`."""
    peak = rng.integers(0, 365, len(CATEGORIES))
    return AMPLITUDE * _wave(days, peak)


def _wave(days: int, peak: np.ndarray) -> np.ndarray:
    """Returns `[days, peaks]`: a year's cosine that is 1 on the day of the peak."""
    first = START.timetuple().tm_yday
    day = np.arange(days)[:, np.newaxis] + first
    wave: np.ndarray = np.cos(2 * np.pi * (day - peak) / YEAR_DAYS)
    return wave
