"""The options that commands share, and what they make of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config


def config_files(incomplete: str) -> Iterator[str]:
    """Yields what a shell offers for the path of a config: folders and YAML files."""
    folder, _, begun = incomplete.rpartition("/")
    before = f"{folder}/" if "/" in incomplete else ""
    try:
        entries = sorted(Path(before or ".").iterdir())
    except OSError:  # nothing lies there, so there is nothing to offer
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not begun
        if not entry.name.startswith(begun) or hidden:
            continue
        if entry.is_dir():
            yield f"{before}{entry.name}/"
        elif entry.suffix in (".yaml", ".yml"):
            yield f"{before}{entry.name}"


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        help="YAML file that describes the shop.",
        autocompletion=config_files,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the YAML."),
]
KOption = Annotated[int, typer.Option("-k", min=1, help="Number of items.")]
ServerOption = Annotated[
    str, typer.Option(help="host:port (gRPC) or http://host:port (REST).")
]
SERVER = "127.0.0.1:8500"
HistoryOption = Annotated[
    str | None, typer.Option(help="Item ids, comma-separated, oldest first.")
]
UserOption = Annotated[
    str | None, typer.Option(help="A user of the dataset, instead of a history.")
]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="NAME=VALUE",
        help="Of an item column, e.g. allow_brand=A,B or max_price=9.5.",
    ),
]


JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object; all else goes to stderr."),
]


def console(as_json: bool = False) -> Console:
    """Returns what commands print to: stderr where stdout is for JSON."""
    return Console(stderr=as_json, highlight=False, soft_wrap=True)


def stages_of(
    config: Path, overrides: list[str] | None, as_json: bool = False
) -> Stages:
    """Returns the stages of the shop that a config and overrides describe."""
    return Stages(load_config(config, overrides or []), console(as_json))
