"""Puts a shop's server under load with requests of its own customers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.ending import tell_next
from tfrs_app.cli.json_output import print_json
from tfrs_app.cli.options import (
    SERVER,
    ConfigOption,
    JsonOption,
    ServerOption,
    SetOption,
    stages_of,
)
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.errors import ConfigError, ServerError
from tfrs_app.progress import watched

if TYPE_CHECKING:
    from serving.client import Shopper
    from serving.load.plan import Plan
    from tfrs_app.data.dataset import Dataset


@dataclass(frozen=True)
class Questions:
    """Says what is asked.

    Attributes:
        signature: that lists items for a shopper.
        k: length of the lists.
        users: how many users are drawn.
        seed: of the draw.
    """

    signature: str
    k: int
    users: int
    seed: int


def load_test(
    config: ConfigOption,
    overrides: SetOption = None,
    server: ServerOption = SERVER,
    rate: Annotated[float, typer.Option(help="Requests a second.")] = 50.0,
    seconds: Annotated[float, typer.Option(help="How long they are sent.")] = 30.0,
    signature: Annotated[
        str, typer.Option(help="That lists items: recommend, retrieve.")
    ] = "serving_default",
    k: Annotated[int, typer.Option("-k", min=1, help="Number of items.")] = 20,
    users: Annotated[int, typer.Option(min=1, help="Users to draw, at most.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, other users.")] = 42,
    in_flight: Annotated[
        int, typer.Option(help="Requests on their way at once, at most.")
    ] = 256,
    timeout_s: Annotated[
        float, typer.Option(help="Until a request counts as failed.")
    ] = 5.0,
    swap_every: Annotated[
        float | None,
        typer.Option(help="Publish a copy of the model every so many seconds."),
    ] = None,
    server_pid: Annotated[
        int | None, typer.Option(help="Process whose memory is watched.")
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Permit another machine's server.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a running server under load: requests leave on time, come what may."""
    from serving.load.plan import Plan, check_address

    check_address(server, allow_remote=allow_remote)
    plan = Plan(rate, seconds, in_flight, timeout_s, swap_every)
    stages = stages_of(config, overrides, as_json)
    asked = Questions(signature, k, users, seed)
    figures = measure(stages, server, plan, asked, server_pid)
    written = write(stages.layout.loads, figures)
    show(stages, figures)
    stages.console.print(f"load report {written}", markup=False)
    tell_next(stages.console, "recommend", config, overrides or ())
    if as_json:
        print_json(figures)


def measure(
    stages: Stages, server: str, plan: Plan, asked: Questions, server_pid: int | None
) -> dict[str, Any]:
    """Returns what a load test found.

    Raises:
        ArtifactError: no model is published, or its dataset is gone.
        ConfigError: nobody can be asked for, or there is no such process.
        ServerError: the server can't be asked at all.
    """
    from serving.client import ClientError
    from serving.load.page import figures_of
    from serving.load.probe import Server
    from serving.load.session import Beside, load
    from tfrs_app.cli.shop import Shop

    shop = Shop.behind(stages)
    shoppers = shoppers_of_the_test_window(
        shop.dataset, shop.history_length, asked.users, asked.seed
    )
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "address": server,
        "model": stages.config.shop,
        "signature": asked.signature,
        "k": asked.k,
        "shoppers": len(shoppers),
    }
    try:
        with watched(f"{plan.rate:g} requests a second for {plan.seconds:g} s"):
            outcome = load(
                plan,
                Server(server, stages.config.shop, plan.in_flight),
                asked.signature,
                shoppers,
                asked.k,
                Beside(stages.model_base, server_pid),
            )
    except ClientError as error:
        raise ServerError(str(error)) from error
    return figures_of(plan, about, outcome)


def shoppers_of_the_test_window(
    dataset: Dataset, history_length: int, users: int, seed: int
) -> Sequence[Shopper]:
    """Returns users with events in the test window, in a random order.

    Args:
        dataset: as opened from disk.
        history_length: events to show at most, the last ones.
        users: how many at most.
        seed: of the draw.

    Raises:
        ConfigError: the window has no events.
    """
    import numpy as np

    from tfrs_app.cli.shoppers import shopper_of

    log = dataset.events
    places = np.flatnonzero(log.timestamp >= dataset.split.test_start)
    found = np.unique(np.searchsorted(log.row_splits, places, side="right") - 1)
    if not len(found):
        raise ConfigError(
            "nobody has events in the test window; choose an earlier "
            "data.split.test_start and prepare again"
        )
    drawn = np.random.default_rng(seed).permutation(found)[:users]
    return [shopper_of(dataset, int(user), history_length) for user in drawn]


def write(folder: Path, figures: dict[str, Any]) -> Path:
    """Writes a page and the figures as JSON, named by the time; returns the page."""
    from serving.load.page import page

    name = figures["at"].replace(":", "").replace("-", "").replace("+0000", "Z")
    file = folder / f"{name}.html"
    write_atomically(file, page(figures).encode())
    write_atomically(file.with_suffix(".json"), json.dumps(figures).encode())
    return file


def show(stages: Stages, figures: dict[str, Any]) -> None:
    """Prints the figures."""
    from serving.load.page import rows_of

    title = f"load on {figures['address']}, {figures['signature']}"
    table = Table("", "", title=escape(title), show_header=False)
    for name, value in rows_of(figures):
        table.add_row(escape(name), escape(value))
    stages.console.print(table)
