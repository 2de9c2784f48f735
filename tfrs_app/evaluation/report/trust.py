"""How far the figures reach: the protocol, the baselines' tuning, what to mind."""

from __future__ import annotations

from html import escape

from tfrs_app.data.html import table
from tfrs_app.evaluation.report.measured import Measured
from tfrs_app.evaluation.report.words import (
    METRICS,
    SLICES,
    day,
    figure,
    meaning_of,
    metric_label,
    setting,
    spoken,
    title_of,
)

CAVEATS = (
    "The intervals tell how much chance lies in which customers were asked. They do "
    "not tell how another month, or another training seed, would come out.",
    "The best baseline is the best on the test window itself: its luck there counts "
    "against the model.",
    "Baselines are tuned on the validation window only. The page cannot see how often "
    "somebody looked at the test window while they changed the model: choose its "
    "settings on validation.",
    "People who were shown other items would have bought other items. A log shows "
    "what they bought without these lists, so the figures rank models; they are no "
    "forecast of sales.",
)


def protocol(measured: Measured) -> str:
    """Returns the box that says how everything was measured."""
    found, settings = measured.protocol, measured.settings
    asked = ", ".join(
        f"{title_of(target)} {users:,}" for target, users in found["users"].items()
    )
    validation = f"{day(found['validation_start'])} to {day(found['test_start'])} UTC"
    test = f"{day(found['test_start'])} to {day(found['test_end'])} UTC"
    facts = {
        "Trained and fitted on": f"events before {day(found['test_start'])} UTC",
        "Tuned on (validation)": validation,
        "Measured on (test)": test,
        "Customers asked": asked,
        "Candidates": f"the whole catalogue, {found['catalogue_items']:,} items",
        "Intervals": f"{settings['resamples']:,} bootstrap draws of customers, seed "
        f"{settings['seed']}",
        "Verdicts at": f"the first {measured.k}",
        "Dataset": escape(str(measured.document["dataset"])),
        "Retrieval run": escape(str(measured.document["run"])),
    }
    listed = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items())
    caveats = "".join(f"<li>{text}</li>" for text in CAVEATS)
    return (
        '<h2 id="protocol">How it was measured</h2><div class="wide">'
        f'<dl class="facts">{listed}</dl><p>Each customer has one list a model, made '
        "at the start of the test window from earlier events only. Nothing is sampled: "
        f"every item of the catalogue competes.</p><ul>{caveats}</ul></div>"
    )


def tuning(measured: Measured) -> str:
    """Returns what tuning chose for each baseline."""
    rows = [
        [
            spoken(row.model),
            title_of(row.target),
            ", ".join(
                f"{spoken(name)} {setting(value)}"
                for name, value in row.parameters.items()
            )
            or "nothing to tune",
            figure(row.validation),
            figure(row.values[measured.ndcg]),
        ]
        for row in measured.results
        if row.validation is not None
    ]
    if not rows:
        return ""
    label = metric_label(measured.ndcg)
    head = ("baseline", "target", "chosen", f"{label}, validation", f"{label}, test")
    return (
        '<h2 id="tuning">The baselines\' parameters</h2><p class="dim">Each is chosen '
        "by the validation window, for each target by itself; then the baseline is "
        "fitted again on everything before the test window.</p>"
        f'<div class="wide tuning">{table(head, rows)}</div>'
    )


def glossary(measured: Measured) -> str:
    """Returns what targets, slices and metrics mean."""
    used = {name.partition("@")[0] for row in measured.results for name in row.values}
    parts = {name for row in measured.results for name in row.slices}
    rows = [
        *((title_of(target), meaning_of(target)) for target in measured.targets),
        *((spoken(name), text) for name, text in SLICES.items() if name in parts),
        *((metric_label(name), text) for name, text in METRICS.items() if name in used),
    ]
    return (
        '<h2 id="words">Words</h2><div class="wide words">'
        f"{table(('word', 'meaning'), rows)}</div>"
    )
