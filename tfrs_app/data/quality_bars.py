"""Draws distributions as small inline SVG bars."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from tfrs_app.contract.quality import Histogram, Tokens
from tfrs_app.data.drift import rebinned

_BAR, _GAP, _HEIGHT = 10, 2, 48
_SHOWN_BARS = 24
_FEWEST_BARS = 12
"""Room that fewer bars leave empty, so that they do not become blocks."""
_TRIMMED = 0.01
"""Share of rows at either end that the outermost bars gather."""


def bars(counts: Sequence[float], titles: Sequence[str]) -> str:
    """Returns an SVG of one bar a count, each with a title."""
    top = max(counts, default=0) or 1
    step = _BAR + _GAP
    drawn = []
    for place, (count, title) in enumerate(zip(counts, titles, strict=True)):
        height = max(count / top * _HEIGHT, 1.0 if count else 0.0)
        drawn.append(
            f'<rect x="{place * step}" y="{_HEIGHT - height:.1f}" width="{_BAR}" '
            f'height="{height:.1f}"><title>{escape(title)}</title></rect>'
        )
    width = max(len(drawn), _FEWEST_BARS) * step - _GAP
    return (
        f'<svg viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="distribution">{"".join(drawn)}</svg>'
    )


def token_bars(tokens: Tokens) -> str:
    """Returns bars of the most frequent tokens."""
    shown = list(tokens.listed.items())[:_SHOWN_BARS]
    titles = [f"{name}: {count:,}" for name, count in shown]
    return bars([count for _, count in shown], titles)


def number_bars(numbers: Histogram) -> str:
    """Returns bars of equal width from the first to the last percentile."""
    edges = shown_edges(numbers)
    counts = rebinned(numbers, edges).tolist()
    ends = [numbers.low[0], *edges, numbers.high[-1]]
    titles = [
        f"{low:.4g} to {high:.4g}: {count:,.0f}"
        for low, high, count in zip(ends, ends[1:], counts, strict=False)
    ]
    return bars(counts, titles)


def shown_edges(numbers: Histogram) -> list[float]:
    """Returns the lower bounds of all bars but the first; of few values, the values."""
    ends = np.cumsum(numbers.count)
    limits = ends[-1] * np.array([_TRIMMED, 1 - _TRIMMED])
    first, last = np.searchsorted(ends, limits)
    inner = numbers.low[first + 1 : last + 1]
    if len(inner) < _SHOWN_BARS:
        return inner
    low, high = numbers.low[first], numbers.high[last]
    edges: list[float] = np.linspace(low, high, _SHOWN_BARS + 1)[1:-1].tolist()
    return edges
