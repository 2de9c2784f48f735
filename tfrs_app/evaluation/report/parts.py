"""Parts of the customers and items, which a mean over everybody hides."""

from __future__ import annotations

from math import nan

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, Row, finite
from tfrs_app.evaluation.report.rows import bar, dot, ends, picture, rounded_up
from tfrs_app.evaluation.report.words import (
    SLICES,
    figure,
    metric_label,
    spoken,
)

COLD_CANDIDATES = "cold_candidates"
"""The slice that has lists of its own, hence no place on the others' axis."""


def slices(measured: Measured, target: str) -> str:
    """Returns the best model against the best baseline on each slice."""
    champion, rival = measured.champion(target), measured.rival(target)
    parts = {k: part for k, part in champion.slices.items() if k != COLD_CANDIDATES}
    names = [name for name, part in parts.items() if part["users"]]
    if not names:
        return ""
    metric = f"ndcg@{sliced_length(measured)}"
    rows = measured.rows(target)
    reach = max(finite(row.slices[name][metric]) for row in rows for name in names)
    top = rounded_up(reach)
    cells = [_cells(name, champion, rival, rows, metric, top) for name in names]
    compared = [_named(champion, measured)]
    compared += [_named(rival, measured)] if rival else []
    head = ("slice", "customers", ends(top), *compared, "best of all")
    empty = [spoken(name) for name, part in parts.items() if not part["users"]]
    without = f" Nobody is asked about: {', '.join(empty)}." if empty else ""
    return (
        f"<h3>Slices, {metric_label(metric)}</h3>"
        '<p class="dim">Slices have no intervals: take small differences and small '
        f"slices for chance. Slices of bought items only count those.{without}</p>"
        f'<div class="wide">{table(head, cells)}</div>'
    )


def cold_candidates(measured: Measured, target: str) -> str:
    """Returns the models on items without any event, ranked among themselves."""
    rows, length = measured.rows(target), sliced_length(measured)
    asked = rows[0].slices.get(COLD_CANDIDATES, {"users": 0})
    if not asked["users"]:
        return ""
    ndcg, recall = f"ndcg@{length}", f"recall@{length}"
    rows.sort(key=lambda row: -finite(row.slices[COLD_CANDIDATES][ndcg], -1.0))
    found = [row.slices[COLD_CANDIDATES] for row in rows]
    among_all = [row.slices.get("cold_items", {}).get(recall, nan) for row in rows]
    top = rounded_up(max(finite(part[ndcg]) for part in found))
    cells = [
        [
            f'<span class="name">{spoken(row.model)}</span>',
            picture(figure(part[ndcg]), [bar(part[ndcg], top)]),
            figure(part[ndcg]),
            figure(part[recall]),
            figure(whole),
        ]
        for row, part, whole in zip(rows, found, among_all, strict=True)
    ]
    label = metric_label(recall)
    head = ("model", ends(top), metric_label(ndcg), label, f"{label} among all items")
    classes = [measured.rank(row) for row in rows]
    return (
        '<h3>New items only</h3><p class="dim">Items without any event before the '
        "window, ranked among themselves, for the "
        f"{int(asked['users']):,} customers who bought one. What reads no texts and no "
        "categories lists them in catalogue order, which is chance; where there are "
        "few new items, chance finds many. The last column is what a shopper gets: "
        "the same purchases, in lists of the whole catalogue.</p>"
        f'<div class="wide">{table(head, cells, classes)}</div>'
    )


def sliced_length(measured: Measured) -> int:
    """Returns the cut-off of the slices' metrics nearest to that of the verdicts."""
    ks = [int(k) for k in measured.settings["ks"]]
    return min(ks, key=lambda k: (abs(k - measured.k), k))


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
