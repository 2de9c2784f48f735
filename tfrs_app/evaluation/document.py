"""`metrics.json`: everything that was measured, as docs/evaluation.md describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.comparison import Comparison
from tfrs_app.evaluation.insights import Insights
from tfrs_app.evaluation.results import Result
from tfrs_app.evaluation.verdicts import Verdict

NOTHING_MORE = Insights()


def write_metrics(
    path: Path,
    dataset: Dataset,
    comparison: Comparison,
    ingredients: Mapping[str, Any],
    insights: Insights = NOTHING_MORE,
) -> None:
    """Writes `metrics.json`, which appears whole or not at all."""
    document = document_of(dataset, comparison, ingredients, insights)
    write_atomically(path, json.dumps(document, indent=2).encode())


def document_of(
    dataset: Dataset,
    comparison: Comparison,
    ingredients: Mapping[str, Any],
    insights: Insights = NOTHING_MORE,
) -> dict[str, Any]:
    """Returns the content of `metrics.json`.

    Args:
        dataset: that the results were measured on.
        comparison: results in the order of the file, and verdicts.
        ingredients: ids and settings that tell whether the file is up to date.
        insights: what else was found out.
    """
    split, log = dataset.split, dataset.events
    end_s = split.test_end or int(log.timestamp.max()) + 1
    asked = {r.target.value: len(r.question.user) for r in comparison.results}
    return {
        "protocol": {
            "validation_start": _iso(split.validation_start),
            "test_start": _iso(split.test_start),
            "test_end": _iso(end_s),
            "catalogue_items": len(dataset.train_events),
            "users": asked,
        },
        **ingredients,
        "verdicts": [_verdict(verdict) for verdict in comparison.verdicts],
        "results": [
            _row(result) | insights.beside(result.model, result.target)
            for result in comparison.results
        ],
        **insights.document,
    }


def _row(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": result.model,
        "target": result.target.value,
        **result.metrics,
        **result.list_metrics,
    }
    if result.parameters:
        row["parameters"] = dict(result.parameters)
    if result.validation is not None:
        row["validation"] = result.validation
    return row | {
        "intervals": {
            metric: [interval.low, interval.high]
            for metric, interval in result.intervals.items()
        },
        "slices": {
            name: {"users": part.users, **part.metrics}
            for name, part in result.slices.items()
        },
        "recall_curve": {str(k): recall for k, recall in result.curve.items()},
        "exposure": list(result.exposure),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "model": verdict.model,
        "rival": verdict.rival,
        "rival_is_best": verdict.best,
        "target": verdict.target.value,
        "metric": verdict.metric,
        "outcome": verdict.difference.outcome.value,
        **asdict(verdict.difference),
        "words": verdict.words,
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
