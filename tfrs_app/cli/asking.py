"""The commands that ask a running server."""

from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from tfrs_app.cli.ending import tell_next
from tfrs_app.cli.json_output import print_json
from tfrs_app.cli.options import (
    SERVER,
    ConfigOption,
    FilterOption,
    HistoryOption,
    JsonOption,
    KOption,
    ServerOption,
    SetOption,
    UserOption,
    stages_of,
)

if TYPE_CHECKING:
    from tfrs_app.cli.request import Request

REQUEST = "request"


def _request(
    config: ConfigOption,
    overrides: SetOption = None,
    server: ServerOption = SERVER,
    history: HistoryOption = None,
    user: UserOption = None,
    filters: FilterOption = None,
    k: KOption = 10,
    as_json: JsonOption = False,
) -> tuple[Request, bool]:
    """Makes of the options that all these commands have a request."""
    from tfrs_app.cli.request import Request

    stages = stages_of(config, overrides, as_json)
    return Request(stages, server, _ids(history), user, filters or (), k), as_json


def asks(command: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Gives a command the options of a request, and prints what it returns if asked.

    Args:
        command: its first parameter takes the request, the others are options of its
            own; returns what `--json` prints.
    """
    shared = inspect.signature(_request).parameters
    own = inspect.signature(command).parameters

    @functools.wraps(command)
    def asking(**options: Any) -> None:
        common = {name: options.pop(name) for name in shared}
        request, as_json = _request(**common)
        answer = command(request, **options)
        following = _following(command.__name__, request, answer)
        tell_next(
            request.stages.console,
            following,
            common["config"],
            common["overrides"] or (),
        )
        if as_json:
            print_json({"server": request.server, **answer})

    names = globals() | {"Request": Any}  # no option: importing it takes long
    hints = {
        name: hint
        for function in (command, _request)
        for name, hint in get_type_hints(function, names, include_extras=True).items()
    }
    parameters = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in (own | shared).items()
        if name != REQUEST
    ]
    asking.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    asking.__annotations__ = {p.name: p.annotation for p in parameters}
    return asking


@asks
def recommend(
    request: Request,
    new_only: Annotated[
        bool, typer.Option("--new-only", help="Leave out the items of the history.")
    ] = False,
    diversity: Annotated[
        float, typer.Option(min=0, max=1, help="0: by score alone; 1: all different.")
    ] = 0.0,
) -> dict[str, Any]:
    """Ask a running server and print the answer with item texts."""
    from tfrs_app.cli.recommend import recommend as ask

    answer = ask(request, new_only=new_only, diversity=diversity)
    return request.as_json(answer)


@asks
def search(
    request: Request,
    text: Annotated[str, typer.Argument(help="What is looked for.")],
    personal: Annotated[
        float | None,
        typer.Option(min=0, help="Weight of the shopper's liking; 0: words only."),
    ] = None,
) -> dict[str, Any]:
    """Ask a running server for items that words stand for."""
    from tfrs_app.cli.search import search as ask

    return {"text": text, **request.as_json(ask(request, text, personal))}


@asks
def explain(
    request: Request,
    items: Annotated[list[str], typer.Argument(help="Item ids.")],
) -> dict[str, Any]:
    """Ask a running server why items are, or are not, recommended."""
    from tfrs_app.cli.explain import explain as ask

    told = ask(request, items)
    return {"history": request.shopper.history, "items": told}


def _following(command: str, request: Request, answer: dict[str, Any]) -> str:
    """Returns what to ask next: why the first item is there, or for another list."""
    explains = request.stages.config.ranking is not None and answer["items"]
    words = ["recommend"]
    if command != "explain" and explains:
        words = ["explain", answer["items"][0]["item_id"]]
        words += ["--user", request.user] if request.user else []
        words += ["--history", ",".join(request.history)] if request.history else []
    if request.server != SERVER:
        words += ["--server", request.server]
    return shlex.join(words)


def _ids(history: str | None) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in history.split(",")) if history else None
