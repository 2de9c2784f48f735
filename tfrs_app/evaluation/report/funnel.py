"""Inside the funnel: where purchases are lost, and what each source is worth."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import accumulate
from typing import Any

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured, Row
from tfrs_app.evaluation.report.rows import bar, ends, picture
from tfrs_app.evaluation.report.words import (
    FATES,
    SOURCES,
    STAGES,
    figure,
    percentage,
    spoken,
)


def inside(measured: Measured, target: str) -> str:
    """Returns what was found inside each model that has a funnel."""
    return "".join(
        _fates(measured, row) + _sources(row) + _stages(measured, row)
        for row in measured.rows(target)
        if row.funnel
    )


def _fates(measured: Measured, row: Row) -> str:
    found = row.funnel["attribution"]
    shares: Mapping[str, float] = found["shares"]
    cells = [
        [
            f'<span class="name fate-{escape(name)}">{spoken(name)}</span>'
            f"<small>{_meaning(FATES, name, measured.k)}</small>",
            percentage(share),
            f"{int(found['counts'][name]):,}",
        ]
        for name, share in shares.items()
    ]
    label = ", ".join(
        f"{name.replace('_', ' ')} {percentage(share)}"
        for name, share in shares.items()
    )
    return (
        "<h3>Where purchases are lost</h3>"
        f'<p class="dim">What became of the {int(found["purchases"]):,} items that '
        f"the customers bought, in the {spoken(row.model)}: each is charged to the "
        "first stage that lets go of it. Every purchase counts once here; recall is "
        "averaged over customers, so it differs. Who buys more than "
        f"{measured.k} has no place for all in a list of {measured.k}: at most "
        f"{percentage(found['listable'] / max(found['purchases'], 1))} could be "
        "listed.</p>"
        f'<div class="wide"><div class="fates">{picture(label, _stacked(shares))}'
        f"</div>{table(('fate', 'share', 'purchases'), cells)}</div>"
    )


def _stacked(shares: Mapping[str, float]) -> list[str]:
    starts = [0.0, *accumulate(shares.values())]
    return [
        f'<rect class="fate-{escape(name)}" x="{start * 100:.3f}" y="1" '
        f'width="{share * 100:.3f}" height="18"><title>{spoken(name)} '
        f"{percentage(share)}</title></rect>"
        for (name, share), start in zip(shares.items(), starts, strict=False)
    ]


def _sources(row: Row) -> str:
    found: Mapping[str, Mapping[str, float]] = row.funnel["sources"]
    cells = [
        [
            f"{spoken(name)}<small>{_meaning(SOURCES, name)}</small>",
            picture(percentage(one["recall"]), [bar(one["recall"], 1.0)]),
            percentage(one["recall"]),
            "" if name == "all" else percentage(one["alone"]),
            figure(one["candidates"], 0),
        ]
        for name, one in found.items()
    ]
    head = ("source", ends(1.0), "purchases held", "by no other", "candidates")
    return (
        "<h3>What the sources propose</h3>"
        '<p class="dim">Share of the purchases that a source\'s candidates hold, and '
        "of those that no other source has; candidates a customer, on average.</p>"
        f'<div class="wide m0">{table(head, cells)}</div>'
    )


def _stages(measured: Measured, row: Row) -> str:
    found: Mapping[str, Mapping[str, Any]] = row.funnel["stages"]
    heads = list(next(iter(found.values()))["head"])
    cells = [
        [
            f"{spoken(name)}<small>{_stage(name, measured, row)}</small>",
            *(percentage(one["head"][share]) for share in heads),
            figure(one["gini"], 3),
            figure(one["entries"], 0),
        ]
        for name, one in found.items()
    ]
    named = (f"head {percentage(float(share), 0)}" for share in heads)
    head = ("stage", *named, "Gini", "items each")
    return (
        "<h3>Popularity by stage</h3>"
        '<p class="dim">Share of a stage\'s entries that are among the items with the '
        "most past events: the head, so many percent of the catalogue. Gini: how "
        "unequally the catalogue is shown; a stage that shows more items is flatter "
        "by that alone, so compare it between stages of one length. Of "
        f"{int(row.funnel['sample_users']):,} customers, drawn at random.</p>"
        f'<div class="wide">{table(head, cells)}</div>'
    )


def _stage(name: str, measured: Measured, row: Row) -> str:
    words = _meaning(STAGES, name, measured.k)
    return words.replace("DIVERSITY", f"{row.funnel['diversified_by']:g}")


def _meaning(words: Mapping[str, str], name: str, k: int = 0) -> str:
    return escape(words.get(name, "").replace("first k", f"first {k}"))
