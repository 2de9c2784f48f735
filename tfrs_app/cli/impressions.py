"""Turns request logs into a table, and tells what was in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tfrs_app.cli.program import program


def convert(
    logs: Sequence[str],
    output: Path,
    max_rejected: float,
    runner_options: Sequence[str],
    console: Console,
) -> None:
    """Writes the table of impressions and prints what became of the records."""
    from beam.impressions import convert as write

    balance = write(logs, output, max_rejected, runner_options)
    console.print(
        f"{balance.records:,} records: {balance.impressions:,} impressions, "
        f"{balance.without_items:,} records without items, "
        f"{sum(balance.rejected.values()):,} rejected"
    )
    console.print(f"table   {escape(str(output / '*.parquet'))}")
    console.print(
        "next: name the table as ranking.impressions.source of a config, and run "
        f"[bold]{escape(program())} train ranking -c configs/my_shop.yaml[/]"
    )
