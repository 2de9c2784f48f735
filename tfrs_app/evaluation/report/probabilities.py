"""Whether the ranker's probabilities come true, as reliability plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured
from tfrs_app.evaluation.report.plot import Plot, decades
from tfrs_app.evaluation.report.words import figure, percentage, spoken

WHERE = {
    "held_out": ("held-out customers", "model m0"),
    "test": ("test window, as served", "rival"),
}
"""What is told of each place: words and CSS class."""


def probabilities(measured: Measured) -> str:
    """Returns a plot for each task beside the numbers of all."""
    found = measured.probabilities
    if not found:
        return ""
    tasks = list(dict.fromkeys(one["task"] for one in found))
    plots = "".join(
        _figure(task, [one for one in found if one["task"] == task]) for task in tasks
    )
    cells = [
        [
            f'<span class="name {_place(one)[1]}">{spoken(one["task"])}, '
            f"{_place(one)[0]}</span>",
            f"{int(one['candidates']):,}",
            percentage(one["expected"], 2),
            percentage(one["happened"], 2),
            figure(one["ece"], 5),
            figure(one["auc"], 3),
        ]
        for one in found
    ]
    head = ("task", "candidates", "expected", "came true", "ECE", "AUC")
    return (
        '<h2 id="probabilities">Probabilities</h2><p class="dim">Candidates in ten '
        "equally large groups by the ranker's probability: each dot is a group's mean "
        "probability and the share of it that came true; on the dashed line they are "
        "equal. Groups of which nothing came true stand at the lower edge. On "
        "held-out customers, at the start of validation, the probabilities were "
        "calibrated; the test window is later than anything that was learned. ECE: "
        "mean distance of the groups from the line.</p>"
        f'<div class="wide"><div class="reliability">{plots}</div>'
        f'<div class="scroll">{table(head, cells)}</div></div>'
    )


def _figure(task: str, found: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        (_place(one)[1], [(row["probability"], row["happened"]) for row in one["bins"]])
        for one in found
    ]
    values = [value for _, points in lines for point in points for value in point]
    plot = Plot(
        decades("mean probability", values), decades("share that came true", values)
    )
    shapes = [plot.diagonal(), *(plot.line(points, kind) for kind, points in lines)]
    title = f"Reliability of the probability of a {task.replace('_', ' ')}"
    return (
        f"<figure><figcaption>{spoken(task)}</figcaption>"
        f"{plot.svg(title, shapes)}</figure>"
    )


def _place(one: Mapping[str, Any]) -> tuple[str, str]:
    where = one["where"]
    return WHERE.get(where, (spoken(where), "other"))
