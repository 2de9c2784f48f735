"""The commands that ask a running server."""

from __future__ import annotations

from typing import Annotated

import typer

from tfrs_app.cli.options import (
    SERVER,
    ConfigOption,
    FilterOption,
    HistoryOption,
    KOption,
    ServerOption,
    SetOption,
    UserOption,
    stages_of,
)


def recommend(
    config: ConfigOption,
    overrides: SetOption = None,
    server: ServerOption = SERVER,
    history: HistoryOption = None,
    user: UserOption = None,
    new_only: Annotated[
        bool, typer.Option(help="Leave out the items of the history.")
    ] = False,
    filters: FilterOption = None,
    diversity: Annotated[
        float, typer.Option(min=0, max=1, help="0: by score alone; 1: all different.")
    ] = 0.0,
    k: KOption = 10,
) -> None:
    """Ask a running server and print the answer with item texts."""
    from tfrs_app.cli.recommend import recommend as ask

    ask(
        stages_of(config, overrides),
        server,
        history=_ids(history),
        user=user,
        new_only=new_only,
        filters=filters or (),
        diversity=diversity,
        k=k,
    )


def search(
    text: Annotated[str, typer.Argument(help="What is looked for.")],
    config: ConfigOption,
    overrides: SetOption = None,
    server: ServerOption = SERVER,
    history: HistoryOption = None,
    user: UserOption = None,
    filters: FilterOption = None,
    personal: Annotated[
        float | None,
        typer.Option(min=0, help="Weight of the shopper's liking; 0: words only."),
    ] = None,
    k: KOption = 10,
) -> None:
    """Ask a running server for items that words stand for."""
    from tfrs_app.cli.search import search as ask

    ask(
        stages_of(config, overrides),
        server,
        text,
        history=_ids(history),
        user=user,
        filters=filters or (),
        personal=personal,
        k=k,
    )


def explain(
    items: Annotated[list[str], typer.Argument(help="Item ids.")],
    config: ConfigOption,
    overrides: SetOption = None,
    server: ServerOption = SERVER,
    history: HistoryOption = None,
    user: UserOption = None,
    filters: FilterOption = None,
    k: KOption = 10,
) -> None:
    """Ask a running server why items are, or are not, recommended."""
    from tfrs_app.cli.explain import explain as ask

    ask(
        stages_of(config, overrides),
        server,
        items,
        history=_ids(history),
        user=user,
        filters=filters or (),
        k=k,
    )


def _ids(history: str | None) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in history.split(",")) if history else None
