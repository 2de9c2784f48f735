"""Prints how sound a dataset is: what is suspicious first, then figures by feature."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.contract.dataset import EVERY_SPAN
from tfrs_app.data.drift import STABLE
from tfrs_app.data.gates import written
from tfrs_app.data.validation import (
    MANY_NULLS,
    MANY_OOV,
    Validation,
    by_oddness,
    percent,
    summary,
    suspicions,
)


def show(found: Validation, console: Console) -> None:
    """Prints a validation."""
    console.print(f"data of [bold]{found.shop}[/], dataset {found.identity}")
    for line in suspicions(found):
        console.print(f"[yellow]![/] {escape(line)}")
    if found.verdicts:
        console.print(_gates(found))
    console.print(_features(found))
    console.print(_labels(found))
    for line in summary(found):
        console.print(escape(line))


def _gates(found: Validation) -> Table:
    table = Table("gate", title="gates")
    for name in ("value", "limit"):
        table.add_column(name, justify="right")
    table.add_column("")
    for verdict in found.verdicts:
        kept = "[green]kept[/]" if verdict.kept else "[red]not kept[/]"
        value, limit = written(verdict.value), written(verdict.limit)
        table.add_row(verdict.key.removeprefix("data.gates."), value, limit, kept)
    return table


def _features(found: Validation) -> Table:
    table = Table("feature", "table", title="features, the oddest first")
    for name in ("no value", "unknown", "drift"):
        table.add_column(name, justify="right")
    for name in by_oddness(found):
        column = found.columns[name]
        drift = found.drift_of(name)
        judged = column.judged.oov_rate
        nulls = column.total.null_rate
        table.add_row(
            name,
            column.table,
            _marked(percent(nulls), nulls >= MANY_NULLS),
            _marked(percent(judged), judged >= MANY_OOV)
            if column.has_vocabulary
            else "",
            "" if drift is None else _marked(f"{drift:.2f}", drift >= STABLE),
        )
    return table


def _labels(found: Validation) -> Table:
    table = Table("event type", title="events by type and span")
    for span in EVERY_SPAN:
        table.add_column(span, justify="right")
    for name, spans in found.quality.labels.items():
        table.add_row(escape(name), *(f"{spans[span]:,}" for span in EVERY_SPAN))
    return table


def _marked(text: str, odd: bool) -> str:
    return f"[red]{text}[/]" if odd else text
