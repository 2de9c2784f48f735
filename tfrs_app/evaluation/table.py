"""The results of one target as a table that fits a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation.protocol import Target
from tfrs_app.evaluation.results import Result


def table_of(
    results: Sequence[Result], target: Target, config: EvaluationConfig
) -> Table:
    """Returns the results of one target, the best of each metric in bold."""
    rows = [result for result in results if result.target is target]
    k = config.k
    names = list(
        dict.fromkeys([f"ndcg@{k}", f"recall@{k}", f"recall@{max(config.ks)}"])
    )
    names.append("mrr")
    table = Table(title=f"test window, target: {target}")
    table.add_column("model", no_wrap=True)
    for name in names:
        table.add_column(_heading(name), justify="right", no_wrap=True)
        if name == f"ndcg@{k}":
            table.add_column("95 %\ninterval", justify="right", no_wrap=True)
    best = {name: max(row.metrics[name] for row in rows) for name in names}
    for row in rows:
        cells = [_cell(row.metrics[name], best[name]) for name in names]
        cells.insert(1, _interval(row, f"ndcg@{k}"))
        table.add_row(row.model, *cells)
    return table


def _heading(name: str) -> str:
    return name.replace("@", "\n@")


def _cell(value: float, best: float) -> str:
    return f"[bold]{value:.4f}[/]" if value == best else f"{value:.4f}"


def _interval(row: Result, metric: str) -> str:
    interval = row.intervals.get(metric)
    return f"{interval.low:.4f}-{interval.high:.4f}" if interval else ""
