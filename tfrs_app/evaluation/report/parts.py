"""Parts of the customers and items, which a mean over everybody hides."""

from __future__ import annotations

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, Row, finite
from tfrs_app.evaluation.report.rows import dot, ends, picture, rounded_up
from tfrs_app.evaluation.report.words import (
    SLICES,
    figure,
    metric_label,
    spoken,
)


def slices(measured: Measured, target: str) -> str:
    """Returns the best model against the best baseline on each slice."""
    champion, rival = measured.champion(target), measured.rival(target)
    names = [name for name, part in champion.slices.items() if part["users"]]
    if not names:
        return ""
    metric = sliced_metric(measured, champion)
    rows = measured.rows(target)
    reach = max(finite(row.slices[name][metric]) for row in rows for name in names)
    top = rounded_up(reach)
    cells = [_cells(name, champion, rival, rows, metric, top) for name in names]
    compared = [_named(champion, measured)]
    compared += [_named(rival, measured)] if rival else []
    head = ("slice", "customers", ends(top), *compared, "best of all")
    empty = [
        spoken(name) for name, part in champion.slices.items() if not part["users"]
    ]
    without = f" Nobody is asked about: {', '.join(empty)}." if empty else ""
    return (
        f"<h3>Slices, {metric_label(metric)}</h3>"
        '<p class="dim">Slices have no intervals: take small differences and small '
        f"slices for chance. Slices of bought items only count those.{without}</p>"
        f'<div class="wide">{table(head, cells)}</div>'
    )


def sliced_metric(measured: Measured, row: Row) -> str:
    """Returns the NDCG whose cut-off is nearest to that of the verdicts."""
    ks = [int(k) for k in measured.settings["ks"]]
    nearest = min(ks, key=lambda k: (abs(k - measured.k), k))
    return f"ndcg@{nearest}"


def _cells(
    name: str,
    champion: Row,
    rival: Row | None,
    rows: list[Row],
    metric: str,
    top: float,
) -> list[str]:
    compared = [champion, *([rival] if rival else [])]
    values = [row.slices[name][metric] for row in compared]
    best = max(rows, key=lambda row: finite(row.slices[name][metric], -1.0))
    label = ", ".join(
        f"{row.model} {figure(value)}"
        for row, value in zip(compared, values, strict=True)
    )
    dots = [
        dot(value, top, kind)
        for value, kind in zip(values, ("m0", "rival"), strict=False)
    ]
    title = f"{spoken(name)}<small>{SLICES.get(name, '')}</small>"
    return [
        title,
        f"{int(champion.slices[name]['users']):,}",
        picture(label, reversed(dots)),
        *(figure(value) for value in values),
        f"{figure(best.slices[name][metric])}<small>{spoken(best.model)}</small>",
    ]


def _named(row: Row, measured: Measured) -> str:
    kind = "rival" if measured.rank(row) == "rival" else "m0"
    return f'<span class="name {kind}">{spoken(row.model)}</span>'
