"""Writes reports/report.html: one file, no external resources, every value escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.data.html import document
from tfrs_app.evaluation.report.curve import recall_curve
from tfrs_app.evaluation.report.customers import customers
from tfrs_app.evaluation.report.diversity import diversity
from tfrs_app.evaluation.report.examples import Examples
from tfrs_app.evaluation.report.funnel import inside
from tfrs_app.evaluation.report.listed import listed_items
from tfrs_app.evaluation.report.measured import Measured
from tfrs_app.evaluation.report.newcomers import newcomers
from tfrs_app.evaluation.report.parts import cold_candidates, slices
from tfrs_app.evaluation.report.probabilities import probabilities
from tfrs_app.evaluation.report.scores import SURE, scores, told
from tfrs_app.evaluation.report.style import STYLE
from tfrs_app.evaluation.report.trust import glossary, protocol, tuning
from tfrs_app.evaluation.report.words import (
    figure,
    meaning_of,
    metric_label,
    spoken,
    title_of,
)


def write_report(
    path: Path, shop: str, metrics: Mapping[str, Any], examples: Examples
) -> None:
    """Writes the page atomically.

    Args:
        path: of the file.
        shop: its name.
        metrics: the content of `metrics.json`.
        examples: customers to look at.
    """
    write_atomically(path, page(shop, metrics, examples).encode())


def page(shop: str, metrics: Mapping[str, Any], examples: Examples) -> str:
    """Returns the page; the same arguments give the same text."""
    measured = Measured(metrics)
    parts = "".join(_target(measured, target) for target in measured.targets)
    body = (
        f"<header><h1>{escape(shop)}: evaluation</h1>{_links(measured)}</header>"
        f"<main>{_verdicts(measured)}{protocol(measured)}{parts}"
        f"{probabilities(measured)}{customers(examples)}{tuning(measured)}{glossary(measured)}</main>"
    )
    return document(f"{shop}: evaluation", body, STYLE)


def _links(measured: Measured) -> str:
    links = {
        "protocol": "How it was measured",
        **{_anchor(target): title_of(target) for target in measured.targets},
        "probabilities": "Probabilities",
        "examples": "Examples",
        "tuning": "Baselines' parameters",
        "words": "Words",
    }
    if not any(row.validation is not None for row in measured.results):
        del links["tuning"]
    if not measured.probabilities:
        del links["probabilities"]
    listed = "".join(f'<a href="#{k}">{v}</a>' for k, v in links.items())
    return f'<nav aria-label="Sections">{listed}</nav>'


def _verdicts(measured: Measured) -> str:
    cards = "".join(_verdict(measured, target) for target in measured.targets)
    return f'<div class="verdicts">{cards}</div>'


def _verdict(measured: Measured, target: str) -> str:
    """Returns a card that says whether the best baseline is beaten."""
    rival, champion = measured.rival(target), measured.champion(target)
    title = f"<small>{title_of(target)}</small>"
    if not measured.users(target):
        return f'<div class="card verdict">{title}<b>Nobody was asked</b></div>'
    if rival is None:
        score = figure(champion.values[measured.ndcg])
        return (
            f'<div class="card verdict">{title}<b>{spoken(champion.model)} is best: '
            f"{metric_label(measured.ndcg)} {score}</b></div>"
        )
    met = [
        verdict
        for verdict in measured.verdicts
        if verdict["target"] == target
        and verdict["model"] == champion.model
        and verdict["rival_is_best"]
    ]
    outcome = next(v["outcome"] for v in met if v["metric"] == measured.ndcg)
    kind = outcome.partition(" ")[0] if outcome in SURE else "ties"
    words = "".join(f"<p>{told(verdict)}</p>" for verdict in met)
    return (
        f'<div class="card verdict {kind}">{title}<b>{spoken(champion.model)} '
        f"{spoken(outcome)} the best baseline</b>{words}</div>"
    )


def _target(measured: Measured, target: str) -> str:
    users = measured.users(target)
    head = (
        f'<h2 id="{_anchor(target)}">{title_of(target)}</h2>'
        f'<p class="dim">{meaning_of(target)} {users:,} customers were asked.</p>'
    )
    if not users:
        return head
    parts = (
        scores,
        recall_curve,
        inside,
        diversity,
        slices,
        cold_candidates,
        newcomers,
        listed_items,
    )
    return head + "".join(part(measured, target) for part in parts)


def _anchor(target: str) -> str:
    return f"target-{escape(target)}"
