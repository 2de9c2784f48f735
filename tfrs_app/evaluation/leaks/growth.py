"""Does an item's or user's feature know how much will happen in the test window?

A feature that was computed from the past may know the past, and through it the future;
so the past is taken out first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.leaks.measurement import Measurement
from tfrs_app.evaluation.leaks.ranks import auc, rank_correlation
from tfrs_app.evaluation.leaks.values import (
    Tokens,
    cross_fitted,
    is_number,
    single_tokens,
    word_tokens,
)

GROWTH_LIMIT = 0.3
STANDARD_ERRORS = 4.0
"""Of a rank correlation, 1 / sqrt(rows), which few rows must exceed as well."""
NEWNESS_LIMIT = 0.9
LEAST_ROWS = 50
LEAST_OF_A_CLASS = 20


@dataclass(frozen=True)
class Activity:
    """Holds events of each item, or each user, `[n]`.

    Args:
        before: all before the test window.
        recent: of a span as long as the test window, just before it.
        earlier: of the three such spans before that.
        future: of the test window.
    """

    before: np.ndarray
    recent: np.ndarray
    earlier: np.ndarray
    future: np.ndarray

    def at(self, rows: np.ndarray) -> Activity:
        """Returns some rows' activity."""
        return Activity(**{name: values[rows] for name, values in vars(self).items()})


def activity_of(
    log: EventLog, owner: np.ndarray, owners: int, start_s: int, end_s: int
) -> Activity:
    """Counts the events of each owner around a test window.

    Args:
        log: everybody's events.
        owner: of each event, int `[events]`: its item, or its user.
        owners: how many there are.
        start_s: start of the test window.
        end_s: its end.
    """
    length = end_s - start_s

    def count(first_s: int | None, last_s: int) -> np.ndarray:
        return np.bincount(owner[log.span(first_s, last_s)], minlength=owners)

    return Activity(
        before=count(None, start_s),
        recent=count(start_s - length, start_s),
        earlier=count(start_s - 4 * length, start_s - length),
        future=count(start_s, end_s),
    )


def growth(
    name: str,
    whose: str,
    values: np.ndarray,
    activity: Activity,
    *,
    is_text: bool = False,
) -> Iterator[Measurement]:
    """Measures how well a feature tells growth, and first events.

    Args:
        name: of the feature.
        whose: `items` or `users`.
        values: raw, `[n]`.
        activity: of the same n.
        is_text: whether words count, each by itself; else the whole value.
    """
    tokens_of = word_tokens if is_text else single_tokens
    known = activity.before > 0
    if known.sum() >= LEAST_ROWS:
        strength = _growth_strength(values[known], activity.at(known), tokens_of)
        yield Measurement(
            name,
            "growth",
            strength,
            max(GROWTH_LIMIT, STANDARD_ERRORS / known.sum() ** 0.5),
            f"of {whose} with equal events so far it tells which have more in the "
            f"test window (partial rank correlation {strength:.2f})",
        )
    appeared = activity.future[~known] > 0
    if min(appeared.sum(), (~appeared).sum()) >= LEAST_OF_A_CLASS:
        strength = _newness_strength(values[~known], appeared, tokens_of)
        yield Measurement(
            name,
            "newness",
            strength,
            NEWNESS_LIMIT,
            f"of {whose} without any event so far it tells which have one in the "
            f"test window (AUC {strength:.2f})",
        )


def _growth_strength(
    values: np.ndarray, activity: Activity, tokens_of: Callable[[np.ndarray], Tokens]
) -> float:
    past = _past(activity)
    growth = _residual(np.log1p(activity.future), past)
    found = [rank_correlation(cross_fitted(tokens_of(values), growth), growth)]
    if is_number(values):
        found += [
            abs(rank_correlation(_residual(form, past), growth))
            for form in _forms(values)
        ]
    return max(0.0, *found)


def _newness_strength(
    values: np.ndarray, appeared: np.ndarray, tokens_of: Callable[[np.ndarray], Tokens]
) -> float:
    outcome = appeared - appeared.mean()
    found = [auc(cross_fitted(tokens_of(values), outcome), appeared)]
    if is_number(values):
        sides = [auc(form, appeared) for form in _forms(values)]
        found += [max(side, 1 - side) for side in sides]
    return max(found)


def _past(activity: Activity) -> np.ndarray:
    """Returns what the past foretells with: counts, their logarithms and squares."""
    before, recent, earlier = (
        np.log1p(counts)
        for counts in (activity.before, activity.recent, activity.earlier)
    )
    return np.column_stack(
        [
            np.ones(len(before)), before, before**2, recent, recent**2, earlier,
            earlier**2, activity.before, activity.recent, activity.earlier,
        ]
    )  # fmt: skip


def _residual(values: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Returns what least squares on the past leave of values."""
    scaled = past / np.maximum(np.abs(past).max(axis=0), 1e-12)
    weights = np.linalg.lstsq(scaled, values, rcond=None)[0]
    left: np.ndarray = values - scaled @ weights
    return left


def _forms(values: np.ndarray) -> list[np.ndarray]:
    """Returns a number as it is, its logarithm, and whether it is missing."""
    numbers = values.astype(np.float64)
    missing = np.isnan(numbers)
    if missing.all():
        return []
    filled = np.where(missing, np.median(numbers[~missing]), numbers)
    return [filled, np.log1p(filled - filled.min()), missing.astype(np.float64)]
