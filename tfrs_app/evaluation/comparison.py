"""Everybody on the same questions: the table on the screen and `metrics.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.contract.errors import DataError
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.baselines import BASELINES, tune
from tfrs_app.evaluation.protocol import Question, Target, ask
from tfrs_app.evaluation.ranking import Scorer, evaluate

TUNING_K = 20


@dataclass(frozen=True)
class Result:
    """Holds one model's metrics on one target; `parameters` are what tuning chose."""

    model: str
    target: Target
    metrics: Mapping[str, float]
    parameters: Mapping[str, float]


def compare(
    dataset: Dataset,
    models: Mapping[str, Scorer],
    config: EvaluationConfig,
    report: Callable[[str], None],
) -> list[Result]:
    """Evaluates the models and every baseline on the test window.

    Baselines are tuned, for each target, on the validation window only.

    Raises:
        DataError: nobody has both a history and a target in the test window.
    """
    split, log = dataset.split, dataset.events
    items = len(dataset.train_events)
    results = []
    for target in Target:
        question = ask(log, target, split.test_start, split.test_end)
        if target is Target.ALL and not len(question.user):
            raise DataError(
                "data.split: no user has events both before and in the test window; "
                "choose an earlier test_start"
            )
        validation = ask(log, target, split.validation_start, split.test_start)
        for baseline in BASELINES:
            chosen = tune(baseline, validation, log, items, TUNING_K)
            report(f"{target}: {baseline.name} {dict(chosen) or ''}")
            scorer = baseline.make(log, items, **chosen)
            metrics = evaluate(scorer, question, config.ks)
            results.append(Result(baseline.name, target, metrics, chosen))
        for name, scorer in models.items():
            report(f"{target}: {name}")
            metrics = evaluate(scorer, question, config.ks)
            results.append(Result(name, target, metrics, {}))
    return results


def write_metrics(
    path: Path,
    dataset: Dataset,
    results: Iterable[Result],
    ingredients: Mapping[str, Any],
) -> None:
    """Writes `metrics.json`, whose format docs/evaluation.md describes.

    Args:
        path: of the file, which appears whole or not at all.
        dataset: that the results were measured on.
        results: in the order of the file.
        ingredients: ids and settings that tell whether the file is up to date.
    """
    split, log = dataset.split, dataset.events
    end_s = split.test_end or int(log.timestamp.max()) + 1
    users = {t.value: len(_question(dataset, t).user) for t in Target}
    document = {
        "protocol": {
            "test_start": _iso(split.test_start),
            "test_end": _iso(end_s),
            "catalogue_items": len(dataset.train_events),
            "users": users,
        },
        **ingredients,
        "results": [_row(result) for result in results],
    }
    write_atomically(path, json.dumps(document, indent=2).encode())


def table_of(results: Iterable[Result], target: Target) -> Table:
    """Returns the results of one target as a table for the terminal."""
    rows = [result for result in results if result.target is target]
    table = Table(title=f"test window, target: {target}")
    table.add_column("model", no_wrap=True)
    names = list(rows[0].metrics)
    for name in names:
        table.add_column(name.replace("@", "\n@"), justify="right", no_wrap=True)
    best = {name: max(row.metrics[name] for row in rows) for name in names}
    for row in rows:
        cells = [
            f"[bold]{value:.4f}[/]" if value == best[name] else f"{value:.4f}"
            for name, value in row.metrics.items()
        ]
        table.add_row(row.model, *cells)
    return table


def _question(dataset: Dataset, target: Target) -> Question:
    split = dataset.split
    return ask(dataset.events, target, split.test_start, split.test_end)


def _row(result: Result) -> dict[str, Any]:
    row = {"model": result.model, "target": result.target.value, **result.metrics}
    return row | ({"parameters": dict(result.parameters)} if result.parameters else {})


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
