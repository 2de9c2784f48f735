"""What gets recommended: how much of the catalogue, and how popular that is."""

from __future__ import annotations

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, finite
from tfrs_app.evaluation.report.rows import bar, ends, picture, rounded_up, stacked
from tfrs_app.evaluation.report.words import (
    figure,
    metric_label,
    percentage,
    spoken,
)


def listed_items(measured: Measured, target: str) -> str:
    """Returns coverage and popularity of the lists of one target."""
    return _coverage(measured, target) + _popularity(measured, target)


def _coverage(measured: Measured, target: str) -> str:
    rows, metric = measured.rows(target), f"coverage@{measured.k}"
    others = [name for name in rows[0].values if name not in rows[0].intervals]
    others = [
        name for name in others if name.startswith(("novelty@", "diversity@", "gini@"))
    ]
    top = rounded_up(max(finite(row.values[metric]) for row in rows) * 100)
    cells = [
        [
            f'<span class="name">{spoken(row.model)}</span>',
            picture(
                f"{percentage(row.values[metric])} of the catalogue",
                [bar(row.values[metric] * 100, top)],
            ),
            percentage(row.values[metric]),
            *(figure(row.values[name], 2) for name in others),
        ]
        for row in rows
    ]
    head = ("model", ends(top), "catalogue listed, %", *map(metric_label, others))
    classes = [measured.rank(row) for row in rows]
    return (
        f"<h3>Coverage of the first {measured.k}</h3>"
        '<p class="dim">How much of the catalogue is in anybody\'s list. Few customers '
        "cannot be shown a large catalogue.</p>"
        f'<div class="wide">{table(head, cells, classes)}</div>'
    )


def _popularity(measured: Measured, target: str) -> str:
    rows = measured.rows(target)
    tenths = len(rows[0].exposure)
    cells = []
    for row in rows:
        names = [
            f"{percentage(share)} of the entries, popularity {place} of {tenths}"
            for place, share in enumerate(row.exposure, start=1)
        ]
        first, last = finite(row.exposure[0]), finite(row.exposure[-1])
        label = f"{first:.0%} best sellers, {last:.0%} least popular"
        cells.append(
            [
                f'<span class="name">{spoken(row.model)}</span>',
                picture(label, stacked([finite(s) for s in row.exposure], names)),
                *(percentage(share, 0) for share in row.exposure),
            ]
        )
    ends_ = '<span class="ends"><span>best sellers</span> <span>long tail</span></span>'
    head = ("model", ends_, *(str(place) for place in range(1, tenths + 1)))
    classes = [measured.rank(row) for row in rows]
    return (
        f"<h3>Popularity of the first {measured.k}</h3>"
        '<p class="dim">Items are put in ten groups with equally many past buyers '
        "each: 1 holds the few best sellers, 10 the long tail. Lists that follow past "
        "demand have 10 % of each.</p>"
        f'<div class="wide">{table(head, cells, classes)}</div>'
    )
