"""How good the lists of a target are: intervals, all metrics, differences in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, Row, finite
from tfrs_app.evaluation.report.rows import (
    dot,
    ends,
    level,
    picture,
    rounded_up,
    whisker,
)
from tfrs_app.evaluation.report.words import (
    between,
    figure,
    metric_label,
    percentage,
    signed,
    spoken,
)

SURE = {"beats": ("beats", "good"), "loses to": ("loses to", "bad")}
"""Outcomes that are told apart from chance: words and CSS class."""

_INTERVAL = "<small>95 % interval</small>"


def scores(measured: Measured, target: str) -> str:
    """Returns the tables of one target."""
    return (
        _ranking(measured, target)
        + _metrics(measured, target)
        + "".join(_duels(measured, target, model) for model in measured.models)
    )


def _ranking(measured: Measured, target: str) -> str:
    """Returns the models by NDCG, with their intervals drawn."""
    rows, metric = measured.rows(target), measured.ndcg
    top = rounded_up(max(_reach(row, metric) for row in rows))
    rival = measured.rival(target)
    best = level(rival.values[metric], top) if rival else ""
    cells = [
        [
            f'<span class="name">{spoken(row.model)}</span>',
            _drawn(row, metric, top, best),
            _score(row, metric),
        ]
        for row in rows
    ]
    label = metric_label(metric)
    head = ("model", ends(top), f"{label}{_INTERVAL}")
    note = ", dashed line: the best baseline" if rival else ""
    return (
        f"<h3>Ranking by {label}</h3>"
        f'<p class="dim">Dot: mean over customers, bar: 95 % interval{note}.</p>'
        f'<div class="wide">{_table(measured, head, rows, cells)}</div>'
    )


def _reach(row: Row, metric: str) -> float:
    _, high = row.intervals.get(metric, (0.0, 0.0))
    return max(finite(row.values[metric]), finite(high))


def _drawn(row: Row, metric: str, top: float, best: str) -> str:
    value, bounds = row.values[metric], row.intervals.get(metric)
    label = figure(value)
    shapes = [best, dot(value, top)]
    if bounds:
        label += f", 95 % interval {between(bounds)}"
        shapes.insert(1, whisker(bounds, top))
    return picture(label, shapes)


def _metrics(measured: Measured, target: str) -> str:
    """Returns the metrics at the cut-off of the verdicts, then those at others."""
    names = list(measured.rows(target)[0].intervals)
    at_k = [name for name in names if name.partition("@")[2] in ("", str(measured.k))]
    others = [name for name in names if name not in at_k]
    main = (
        '<h3>All metrics</h3><p class="dim">Below each mean its 95 % interval; the '
        f"best of a column is bold.</p>{_block(measured, target, at_k)}"
    )
    if not others:
        return main
    return f"{main}<h3>Other lengths</h3>{_block(measured, target, others, dense=True)}"


def _block(
    measured: Measured, target: str, names: Sequence[str], *, dense: bool = False
) -> str:
    rows = measured.rows(target)
    best = {name: max(finite(row.values[name], -1.0) for row in rows) for name in names}
    cells = [
        [
            f'<span class="name">{spoken(row.model)}</span>',
            *(_score(row, name, best[name]) for name in names),
        ]
        for row in rows
    ]
    head = ("model", *(metric_label(name) for name in names))
    look = "wide dense" if dense else "wide"
    return f'<div class="{look}">{_table(measured, head, rows, cells)}</div>'


def _score(row: Row, name: str, best: float | None = None) -> str:
    """Returns a mean above its interval, in bold if it is the best."""
    value, bounds = row.values[name], row.intervals.get(name)
    text = figure(value)
    if value == best:
        text = f'<span class="best">{text}</span>'
    return f"{text}<small>{between(bounds)}</small>" if bounds else text


def _duels(measured: Measured, target: str, model: str) -> str:
    """Returns a model against each baseline, paired on the same customers."""
    met = [v for v in measured.verdicts if (v["model"], v["target"]) == (model, target)]
    if not met:
        return ""
    metrics = list(dict.fromkeys(verdict["metric"] for verdict in met))
    found = {(verdict["rival"], verdict["metric"]): verdict for verdict in met}
    rivals = [row for row in measured.rows(target) if (row.model, metrics[0]) in found]
    head = ["baseline"]
    for metric in metrics:
        head += [metric_label(metric), f"difference{_INTERVAL}"]
    cells = [
        [
            spoken(rival.model),
            *(part for name in metrics for part in duel(found[rival.model, name])),
        ]
        for rival in rivals
    ]
    name = spoken(model)
    return (
        f"<h3>{name} against each baseline</h3>"
        f'<p class="dim">{name} minus the baseline on the same customers, by a '
        "paired bootstrap: undecided where the interval holds 0.</p>"
        f'<div class="wide">{table(head, cells)}</div>'
    )


def duel(verdict: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the outcome and the difference of a comparison."""
    words, colour = SURE.get(verdict["outcome"], ("undecided", "dim"))
    low, high = verdict["interval"]["low"], verdict["interval"]["high"]
    bounds = f"<small>{signed(low)} to {signed(high)}</small>"
    relative = verdict["relative"]
    how = "" if relative is None else f" {percentage(relative, sign='+')}"
    outcome = f'<span class="{colour}">{words}</span>{how}'
    return outcome, signed(verdict["value"]) + bounds


def told(verdict: Mapping[str, Any]) -> str:
    """Returns a sentence about a comparison, as HTML."""
    words = escape(verdict["outcome"].removeprefix("is "))
    bounds, value = verdict["relative_interval"], verdict["relative"]
    start = f"{metric_label(verdict['metric'])}: {words} {spoken(verdict['rival'])}"
    if value is None or bounds is None:
        difference, bounds = signed(verdict["value"]), verdict["interval"]
        low, high = signed(bounds["low"]), signed(bounds["high"])
        return f"{start}, difference {difference} (95 % interval {low} to {high})"
    low, high = (
        percentage(bounds["low"], sign="+"),
        percentage(bounds["high"], sign="+"),
    )
    return f"{start}, {percentage(value, sign='+')} (95 % interval {low} to {high})"


def _table(
    measured: Measured,
    head: Sequence[str],
    rows: Sequence[Row],
    cells: Sequence[Sequence[str]],
) -> str:
    return table(head, cells, [measured.rank(row) for row in rows])
