"""The recall curve: how much longer lists find, drawn on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, Row, finite
from tfrs_app.evaluation.report.rows import rounded_up
from tfrs_app.evaluation.report.words import figure, spoken

_WIDTH, _HEIGHT = 400, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 138, 14, 264
"""Borders of the field: x of the axis, room for the names, y of the ends."""
_LONGEST_NAME = 20
_LINE_HEIGHT = 12.5


def recall_curve(measured: Measured, target: str) -> str:
    """Returns the curves of all models beside their table."""
    rows = measured.rows(target)
    lengths = sorted(rows[0].curve)
    cells = [
        [
            f'<span class="name">{spoken(row.model)}</span>',
            *(figure(row.curve[k], 3) for k in lengths),
        ]
        for row in rows
    ]
    head = ("recall of the first", *(str(k) for k in lengths))
    classes = [measured.rank(row) for row in rows]
    return (
        f'<h3>Longer lists</h3><div class="wide beside">{_figure(measured, rows)}'
        f'<div class="scroll">{table(head, cells, classes)}</div></div>'
    )


def _figure(measured: Measured, rows: Sequence[Row]) -> str:
    lengths = sorted(rows[0].curve)
    top = rounded_up(
        max(finite(recall) for row in rows for recall in row.curve.values())
    )
    title = f"Recall of the first {lengths[0]} to {lengths[-1]} items, by model"
    # What matters is drawn last, above the others.
    drawn = sorted(rows, key=lambda row: measured.rank(row) == "other", reverse=True)
    ends = [_y(finite(row.curve[lengths[-1]]), top) for row in drawn]
    names = spread(ends, _LINE_HEIGHT, _TOP, _BOTTOM)
    lines = "".join(
        _line(row, measured.rank(row), lengths, top, name_y)
        for row, name_y in zip(drawn, names, strict=True)
    )
    return (
        f'<figure><svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{title}"><title>{title}</title>{_axes(lengths, top)}{lines}</svg>'
        "</figure>"
    )


def _axes(lengths: Sequence[int], top: float) -> str:
    right = _WIDTH - _RIGHT
    levels = "".join(
        f'<line class="grid" x1="{_LEFT}" y1="{_y(value, top):.1f}" x2="{right}" '
        f'y2="{_y(value, top):.1f}"/><text class="tick" x="{_LEFT - 5}" '
        f'y="{_y(value, top) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        for value in (top * quarter / 4 for quarter in range(5))
    )
    ticks = "".join(
        f'<text class="tick" x="{_x(k, lengths):.1f}" y="{_BOTTOM + 16}" '
        f'text-anchor="middle">{k}</text>'
        for k in lengths
    )
    middle = (_LEFT + right) / 2
    return (
        f'{levels}{ticks}<text class="tick" x="{middle}" y="{_BOTTOM + 32}" '
        'text-anchor="middle">length of the list</text>'
    )


def _line(
    row: Row, rank: str, lengths: Sequence[int], top: float, name_y: float
) -> str:
    points = [(_x(k, lengths), _y(finite(row.curve[k]), top)) for k in lengths]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in points)
    end_x, end_y = points[-1]
    name = row.model.replace("_", " ")
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return (
        f'<g class="{rank}"><title>{escape(name)}</title><polyline points="{path}"/>'
        f'{dots}<line class="end" x1="{end_x + 3:.1f}" y1="{end_y:.1f}" '
        f'x2="{end_x + 10:.1f}" y2="{name_y:.1f}"/><text x="{end_x + 12:.1f}" '
        f'y="{name_y + 3.5:.1f}">{escape(short)}</text></g>'
    )


def spread(
    positions: Sequence[float], gap: float, low: float, high: float
) -> list[float]:
    """Returns positions moved apart within bounds, in the same order.

    Args:
        positions: where each would like to be.
        gap: least distance; less where they do not fit.
        low: the least position.
        high: the greatest.
    """
    gap = min(gap, (high - low) / max(len(positions) - 1, 1))
    order = sorted(range(len(positions)), key=lambda place: positions[place])
    found = list(positions)
    free = low
    for place in order:
        found[place] = max(found[place], free)
        free = found[place] + gap
    free = high
    for place in reversed(order):
        found[place] = min(found[place], free)
        free = found[place] - gap
    return found


def _x(k: int, lengths: Sequence[int]) -> float:
    width = _WIDTH - _RIGHT - _LEFT
    span = log(lengths[-1] / lengths[0])
    return _LEFT + width * (log(k / lengths[0]) / span if span else 0.0)


def _y(value: float, top: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * value / top
