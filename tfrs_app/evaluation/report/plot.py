"""Plots with two axes, drawn as SVG that stretches with the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

_WIDTH, _HEIGHT = 400, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 22, 22, 254
"""Borders of the field: x of the axis, room to the right, y of the ends."""
_TICKS = 4


@dataclass(frozen=True)
class Axis:
    """Holds where an axis has its ticks; the outer ones are its ends.

    Args:
        name: plain text.
        ticks: ascending, at least two.
        logarithmic: whether equal distances are equal factors.
    """

    name: str
    ticks: Sequence[float]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Returns where a value stands between the ends, from 0 to 1."""
        low, high = self._scaled(self.ticks[0]), self._scaled(self.ticks[-1])
        inside = min(max(value, self.ticks[0]), self.ticks[-1])
        return (self._scaled(inside) - low) / (high - low)

    def _scaled(self, value: float) -> float:
        return log10(value) if self.logarithmic else value


def linear(name: str, values: Sequence[float]) -> Axis:
    """Returns an axis with round ticks around values; from 0 to 1 without any."""
    known = [value for value in values if isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    span = high - low or abs(high) or 1.0
    power = 10.0 ** floor(log10(span / _TICKS))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power * _TICKS >= span)
    first, last = floor(low / step), ceil(high / step)
    last = max(last, first + 1)
    ticks = [float(f"{n * step:.9g}") for n in range(first, last + 1)]
    return Axis(name, ticks)


def decades(name: str, values: Sequence[float]) -> Axis:
    """Returns an axis of powers of ten around the values above 0."""
    known = [value for value in values if isfinite(value) and value > 0] or [0.1, 1.0]
    first, last = floor(log10(min(known))), ceil(log10(max(known)))
    last = max(last, first + 1)
    return Axis(name, [10.0**n for n in range(first, last + 1)], logarithmic=True)


@dataclass(frozen=True)
class Plot:
    """Draws in the field of two axes.

    Args:
        x: the lower axis.
        y: the left axis.
    """

    x: Axis
    y: Axis

    def svg(self, title: str, shapes: Sequence[str]) -> str:
        """Returns the plot.

        Args:
            title: plain text that says what it shows.
            shapes: SVG elements.
        """
        text = escape(title)
        return (
            f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{text}"><title>{text}</title>{self._frame()}'
            f"{''.join(shapes)}</svg>"
        )

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> str:
        """Returns a line through points, with a dot at each."""
        places = [self._at(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
        return f'<g class="{kind}"><polyline points="{path}"/>{dots}</g>'

    def diagonal(self) -> str:
        """Returns the line on which both axes have the same value."""
        low = max(self.x.ticks[0], self.y.ticks[0])
        high = min(self.x.ticks[-1], self.y.ticks[-1])
        return self._straight((low, low), (high, high), "even")

    def whisker(self, x: float, bounds: Sequence[float], kind: str) -> str:
        """Returns an upright line between two values."""
        low, high = bounds
        return self._straight((x, low), (x, high), f"span {kind}")

    def label(self, x: float, y: float, text: str) -> str:
        """Returns words to the upper right of a point."""
        at_x, at_y = self._at(x, y)
        return f'<text x="{at_x + 6:.1f}" y="{at_y - 6:.1f}">{escape(text)}</text>'

    def _straight(
        self, start: tuple[float, float], end: tuple[float, float], kind: str
    ) -> str:
        (x1, y1), (x2, y2) = self._at(*start), self._at(*end)
        return (
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" '
            f'y2="{y2:.1f}"/>'
        )

    def _at(self, x: float, y: float) -> tuple[float, float]:
        width, height = _WIDTH - _RIGHT - _LEFT, _BOTTOM - _TOP
        return _LEFT + width * self.x.place(x), _BOTTOM - height * self.y.place(y)

    def _frame(self) -> str:
        left, right = self.x.ticks[0], self.x.ticks[-1]
        bottom, middle = self.y.ticks[0], (_LEFT + _WIDTH - _RIGHT) / 2
        levels = "".join(
            f"{self._straight((left, tick), (right, tick), 'grid')}"
            f'<text class="tick" x="{_LEFT - 5}" y="{self._at(left, tick)[1] + 4:.1f}" '
            f'text-anchor="end">{tick:g}</text>'
            for tick in self.y.ticks
        )
        ticks = "".join(
            f'<text class="tick" x="{self._at(tick, bottom)[0]:.1f}" '
            f'y="{_BOTTOM + 16}" text-anchor="middle">{tick:g}</text>'
            for tick in self.x.ticks
        )
        return (
            f'{levels}{ticks}<text class="tick" x="{middle}" y="{_BOTTOM + 34}" '
            f'text-anchor="middle">{escape(self.x.name)}</text>'
            f'<text class="tick" x="2" y="{_TOP - 10}">{escape(self.y.name)}</text>'
        )
