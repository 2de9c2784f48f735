"""Prints what the leak firewall found of a dataset."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tfrs_app.contract.config import ShopConfig


def show_leaks(config: ShopConfig, folder: Path, console: Console) -> None:
    """Checks histories and features of a dataset and prints what was found.

    Raises:
        DataError: a history holds what it must not know. A suspicious feature is only
            told: whether it knew the future nobody can see from the data alone.
    """
    from tfrs_app.data.dataset import Dataset
    from tfrs_app.evaluation.leaks.features import measure_features, warnings_of
    from tfrs_app.evaluation.leaks.histories import check_histories

    dataset = Dataset.open(folder)
    found = check_histories(dataset, config.retrieval.longest_history)
    console.print(
        f"leaks   none in the histories of {found.examples:,} examples; "
        f"{found.cut:,} of {found.possible:,} histories were cut and their "
        f"{found.seen:,} events looked at"
    )
    measured = measure_features(dataset)
    warnings = warnings_of(dataset, measured)
    for line in warnings:
        console.print(f"[yellow]![/] {escape(line)}")
    tested = len({part.feature for part in measured})
    console.print(
        f"leaks   {tested} features tested for knowledge of the test window, "
        f"{len(warnings) or 'no'} suspicious figure{'' if len(warnings) == 1 else 's'}"
    )
