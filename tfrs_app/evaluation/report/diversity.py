"""What diversity costs: relevance against variety, as a curve and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, Row
from tfrs_app.evaluation.report.plot import Plot, linear
from tfrs_app.evaluation.report.words import (
    between,
    figure,
    metric_label,
    percentage,
    signed,
    spoken,
)


def diversity(measured: Measured, target: str) -> str:
    """Returns the curve of each model that has one."""
    return "".join(_curve(measured, row) for row in measured.rows(target) if row.funnel)


def _curve(measured: Measured, row: Row) -> str:
    points = row.funnel["diversity_curve"]
    users = int(row.funnel["sample_users"])
    return (
        "<h3>Diversity against relevance</h3>"
        '<p class="dim">The same requests with the input <b>diversity</b> at several '
        f"values, of {users:,} customers drawn at random; bars: 95 % intervals. Below "
        "each difference to the plain ranking its interval on the same customers.</p>"
        f'<div class="wide"><figure>{_plot(measured, points)}</figure>'
        f'<div class="scroll dense">{_table(measured, points)}</div></div>'
    )


def _plot(measured: Measured, points: list[Mapping[str, Any]]) -> str:
    ndcg, variety = measured.ndcg, _variety(measured, points[0])
    bounds = [bound for point in points for bound in point["intervals"][ndcg]]
    plot = Plot(
        linear(_said(variety), [point[variety] for point in points]),
        linear(f"NDCG@{measured.k}", bounds),
    )
    line = [(point[variety], point[ndcg]) for point in points]
    shapes = [
        plot.whisker(point[variety], point["intervals"][ndcg], "m0") for point in points
    ]
    shapes.append(plot.line(line, "model m0"))
    shapes += [
        plot.label(point[variety], point[ndcg], f"{point['diversity']:g}")
        for point in points
    ]
    title = f"NDCG@{measured.k} against {_said(variety)}, one dot a diversity"
    return plot.svg(title, shapes)


def _variety(measured: Measured, point: Mapping[str, Any]) -> str:
    """Returns what tells how varied lists are: their contents, or else coverage."""
    by_content = f"diversity@{measured.k}"
    return by_content if by_content in point else f"coverage@{measured.k}"


def _said(variety: str) -> str:
    name, _, k = variety.partition("@")
    if name == "diversity":
        return f"1 - mean likeness of the first {k}"
    return f"share of the catalogue in anybody's first {k}"


def _table(measured: Measured, points: list[Mapping[str, Any]]) -> str:
    ndcg, recall = measured.ndcg, f"recall@{measured.k}"
    coverage, variety = f"coverage@{measured.k}", f"diversity@{measured.k}"
    by_content = variety in points[0]
    head = [
        "input",
        metric_label(ndcg),
        "difference",
        metric_label(recall),
        *([metric_label(variety)] if by_content else []),
        metric_label(coverage),
        *(f"distinct<br>{spoken(name)}" for name in points[0]["distinct"]),
    ]
    cells = [
        [
            f"{point['diversity']:g}",
            f"{figure(point[ndcg])}<small>{between(point['intervals'][ndcg])}</small>",
            _difference(point, points[0], ndcg),
            figure(point[recall]),
            *([figure(point[variety], 3)] if by_content else []),
            percentage(point[coverage]),
            *(figure(count, 1) for count in point["distinct"].values()),
        ]
        for point in points
    ]
    return table(head, cells)


def _difference(point: Mapping[str, Any], first: Mapping[str, Any], metric: str) -> str:
    if point is first:
        return ""
    low, high = point["differences"][metric]
    bounds = f"<small>{signed(low)} to {signed(high)}</small>"
    return signed(point[metric] - first[metric]) + bounds
