"""How far two datasets' distributions lie apart: the population stability index.

PSI = sum over bins of (q - p) ln(q / p), with p and q the earlier and the later
dataset's share of a bin: the symmetric Kullback-Leibler divergence of Kullback and
Leibler (1951, doi:10.1214/aoms/1177729694), read as below 0.1 stable, above 0.25
changed (Siddiqi, Credit Risk Scorecards, 2006; Yurdakul and Naranjo, 2020,
doi:10.21314/JRMV.2020.227). Every bin counts half a row more than it has, so that an
empty one is no infinity (Jeffreys' prior).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrs_app.contract.quality import Distribution, Histogram, Quality, Tokens

EVENT_TYPE = "event_type"
STABLE, CHANGED = 0.1, 0.25
"""Limits below which a PSI counts as none, and above which as a change."""
_EXTRA_ROWS = 0.5
_BINS = 10


@dataclass(frozen=True)
class Drift:
    """Tells how far one distribution moved."""

    name: str
    psi: float
    gated: bool
    """Whether it is a property of events, items or users that should stay: item
    popularity, hours and events a user follow season and length of the log."""


def drifts(earlier: Quality, later: Quality) -> list[Drift]:
    """Returns the drift of everything that both datasets describe, greatest first."""
    found = [*_properties(earlier, later), *_activity(earlier, later)]
    return sorted(found, key=lambda drift: (-drift.psi, drift.name))


def psi(earlier: Sequence[int] | Any, later: Sequence[int] | Any) -> float:
    """Returns the population stability index of two counts of the same bins.

    Args:
        earlier: rows in each bin, `[bins]`.
        later: rows in each bin, `[bins]`.
    """
    p, q = _shares(earlier), _shares(later)
    return float(((q - p) * np.log(q / p)).sum())


def distance(earlier: Distribution, later: Distribution) -> float | None:
    """Returns the PSI of two distributions; None if one is of texts, one of numbers."""
    if isinstance(earlier, Tokens) and isinstance(later, Tokens):
        return psi(*_token_bins(earlier, later))
    if isinstance(earlier, Histogram) and isinstance(later, Histogram):
        edges = cuts(earlier)
        bins = (
            [*rebinned(numbers, edges), numbers.nulls] for numbers in (earlier, later)
        )
        return psi(*bins)
    return None


def cuts(histogram: Histogram, bins: int = _BINS) -> list[float]:
    """Returns the lower bounds of all bins but the first, each with a tenth of rows.

    A value that is frequent enough alone fills a bin, so what remains is told apart.
    """
    wanted = sum(histogram.count) / bins
    edges, filled = [], 0
    for low, count in zip(histogram.low, histogram.count, strict=True):
        if filled >= wanted:
            edges.append(low)
            filled = 0
        filled += count
    return edges


def rebinned(histogram: Histogram, edges: Sequence[float]) -> Any:
    """Returns the rows below, between and above edges, float64 `[edges + 1]`.

    The rows of a bin that an edge cuts are taken as spread evenly over it.
    """
    if not histogram.count:
        return np.zeros(len(edges) + 1)
    low, high = np.array(histogram.low)[:, None], np.array(histogram.high)[:, None]
    width = np.where(high > low, high - low, 1.0)
    below = np.clip((np.asarray(edges) - low) / width, 0, 1)  # [bins, edges]
    below = np.where(high > low, below, np.asarray(edges) > low)
    ends = np.array(histogram.count, dtype=np.float64) @ below
    return np.diff([0.0, *ends, float(sum(histogram.count))])


def _shares(counts: Any) -> Any:
    filled = np.asarray(counts, dtype=np.float64) + _EXTRA_ROWS
    return filled / filled.sum()


def _token_bins(earlier: Tokens, later: Tokens) -> tuple[list[float], list[float]]:
    """Returns the rows of each token that the earlier one lists, of others, of none.

    A token that the later one does not list is no more frequent than its rarest
    listed one; within that it counts as unchanged, so that drift is never made up.
    """
    rows = (_rows(earlier), _rows(later))
    rarest = min(later.listed.values(), default=0)
    other, found = float(later.other), []
    for token, count in earlier.listed.items():
        if token in later.listed:
            found.append(float(later.listed[token]))
            continue
        unchanged = count * rows[1] / max(rows[0], 1)
        found.append(min(unchanged, rarest, other))
        other -= found[-1]
    new = (n for token, n in later.listed.items() if token not in earlier.listed)
    before = [*map(float, earlier.listed.values()), float(earlier.other)]
    return [*before, earlier.nulls], [*found, other + sum(new), later.nulls]


def _rows(tokens: Tokens) -> int:
    return sum(tokens.listed.values()) + tokens.other + tokens.nulls


def _properties(earlier: Quality, later: Quality) -> Iterator[Drift]:
    for section in ("features", "contract_columns"):
        before, after = getattr(earlier, section), getattr(later, section)
        for name in after:
            if name not in before:
                continue
            pair = before[name].distribution, after[name].distribution
            moved = None if None in pair else distance(*pair)
            if moved is not None:
                label = name if section == "features" else f"events.{name}"
                yield Drift(label, moved, gated=True)
    labels = sorted({*earlier.labels, *later.labels})
    counts = (
        [sum(quality.labels.get(name, {}).values()) for name in labels]
        for quality in (earlier, later)
    )
    yield Drift(EVENT_TYPE, psi(*counts), gated=True)


def _activity(earlier: Quality, later: Quality) -> Iterator[Drift]:
    hours = psi(earlier.time.hours_of_week, later.time.hours_of_week)
    yield Drift("hour of the week", hours, gated=False)
    popular = psi(*_token_bins(earlier.items.popularity, later.items.popularity))
    yield Drift("item popularity", popular, gated=False)
    before, after = earlier.users.events_a_user, later.users.events_a_user
    edges = cuts(before)
    a_user = psi(rebinned(before, edges), rebinned(after, edges))
    yield Drift("events a user", a_user, gated=False)
