"""Makes a shop with known truth, and tells what to do with it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tfrs_app.cli.ending import tell_next
from tfrs_app.progress import watched
from tfrs_app.simulation.options import ShopSize
from tfrs_app.simulation.simulate import simulate


def write(size: ShopSize, output: Path, console: Console) -> None:
    """Writes a made shop and prints where it lies."""
    with watched(f"{size.users:,} users shop for {size.days:,} days"):
        made = simulate(size, output)
    for name, rows in made.rows.items():
        console.print(f"{rows:>9,} rows  {escape(str(output / f'{name}.parquet'))}")
    console.print(f"truth   {escape(str(made.truth))}")
    console.print(f"config  {escape(str(made.config))}")
    tell_next(console, "run", made.config)
