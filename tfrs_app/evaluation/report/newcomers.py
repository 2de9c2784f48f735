"""New customers: how good models are that see only the end of a history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured
from tfrs_app.evaluation.report.words import between, figure, metric_label, spoken


def newcomers(measured: Measured, target: str) -> str:
    """Returns models by the events that they see, the best with none first."""
    found = measured.few_events.get(target)
    if not found:
        return ""
    rows: dict[str, dict[Any, Mapping[str, Any]]] = {}
    for row in found["rows"]:
        rows.setdefault(row["model"], {})[row["events"]] = row
    cuts = list(next(iter(rows.values())))
    metric = measured.ndcg
    ordered = sorted(rows, key=lambda model: -rows[model][cuts[0]][metric])
    best = {cut: max(one[cut][metric] for one in rows.values()) for cut in cuts}
    cells = [
        [
            f'<span class="name">{spoken(model)}</span>',
            *(_score(rows[model][cut], metric, best[cut]) for cut in cuts),
        ]
        for model in ordered
    ]
    head = ("events seen", *("all" if cut is None else str(cut) for cut in cuts))
    kinds = {row.model: measured.rank(row) for row in measured.rows(target)}
    return (
        f"<h3>New customers, {metric_label(metric)}</h3>"
        f'<p class="dim">{int(found["users"]):,} customers, drawn at random, asked as '
        "if they were new: models see only the last events of each. Profiles stay, "
        "and so does what a list must not hold. Below each mean its 95 % interval; "
        "the best of a column is bold.</p>"
        f'<div class="wide">{table(head, cells, [kinds[m] for m in ordered])}</div>'
    )


def _score(row: Mapping[str, Any], metric: str, best: float) -> str:
    text = figure(row[metric])
    if row[metric] == best:
        text = f'<span class="best">{text}</span>'
    return f"{text}<small>{between(row['intervals'][metric])}</small>"
