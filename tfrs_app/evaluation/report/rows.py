"""Pictures that fill a cell of a table, so that their numbers stand beside them.

They stretch with the cell: lines keep their width, and a line of no length with round
ends is a dot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import accumulate
from math import isfinite

_WIDTH, _HEIGHT = 100, 20
_FAINTEST = 0.12
"""Opacity of the last part of a stacked bar."""


def picture(label: str, shapes: Iterable[str]) -> str:
    """Returns an SVG as wide as its cell.

    Args:
        label: plain text that says what it shows.
        shapes: SVG elements in a field of 100 x 20.
    """
    text = escape(label)
    return (
        f'<svg class="row" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" '
        f'role="img" aria-label="{text}"><title>{text}</title>{"".join(shapes)}</svg>'
    )


def ends(top: float) -> str:
    """Returns the heading of a column of pictures that reach from 0 to top."""
    return f'<span class="ends"><span>0</span> <span>{top:g}</span></span>'


def dot(value: float, top: float, name: str = "") -> str:
    """Returns a dot, of a further CSS class if named; nothing for what is no number."""
    if not isfinite(value):
        return ""
    x = _x(value, top)
    return _line(x, x, f"dot {name}".strip())


def whisker(bounds: Sequence[float], top: float) -> str:
    """Returns a line from the lower to the upper bound."""
    low, high = bounds
    if not (isfinite(low) and isfinite(high)):
        return ""
    return _line(_x(low, top), _x(high, top), "whisker")


def level(value: float, top: float) -> str:
    """Returns an upright line at a value; nothing for what is no number."""
    return _upright(_x(value, top), "level") if isfinite(value) else ""


def bar(value: float, top: float) -> str:
    """Returns a bar from 0; nothing for what is no number."""
    if not isfinite(value):
        return ""
    return f'<rect class="length" y="4" width="{_x(value, top):.2f}" height="12"/>'


def stacked(shares: Sequence[float], names: Sequence[str]) -> list[str]:
    """Returns parts side by side, ever fainter, each with a title.

    Args:
        shares: of the width, together at most 1.
        names: plain text, one a part.
    """
    starts = [0.0, *accumulate(shares)]
    steps = max(len(shares) - 1, 1)
    parts = []
    for place, (share, name) in enumerate(zip(shares, names, strict=True)):
        opacity = 1 - (1 - _FAINTEST) * place / steps
        parts.append(
            f'<rect class="tenth" x="{starts[place] * _WIDTH:.2f}" y="2" '
            f'width="{share * _WIDTH:.2f}" height="16" fill-opacity="{opacity:.2f}">'
            f"<title>{escape(name)}</title></rect>"
        )
    return parts


def rounded_up(value: float) -> float:
    """Returns the next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten; 1 for 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** int(f"{value:e}".split("e")[1])
    steps = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
    # Nine digits hide what binary fractions add.
    return next(
        float(f"{step * power:.9g}")
        for step in steps
        if step * power >= value * (1 - 1e-9)
    )


def _x(value: float, top: float) -> float:
    return value / top * _WIDTH


def _line(start: float, end: float, name: str) -> str:
    return f'<line class="{name}" x1="{start:.2f}" y1="10" x2="{end:.2f}" y2="10"/>'


def _upright(x: float, name: str) -> str:
    return f'<line class="{name}" x1="{x:.2f}" y1="0" x2="{x:.2f}" y2="20"/>'
