"""The demo: all stages, then a real server asked over both protocols."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfrs_app.cli.program import program
from tfrs_app.cli.recommend import recommend
from tfrs_app.cli.request import Request
from tfrs_app.cli.shop import Shop
from tfrs_app.cli.stages import Stages

EVENTS_OF_A_REGULAR = 20


def show(stages: Stages, config: Path, k: int) -> None:
    """Runs all stages, serves on free ports, and asks over gRPC and REST."""
    stages.run()
    from serving.server.models.model_config import ModelConfig
    from serving.server.options import ServerOptions
    from serving.server.server import running

    stages.console.rule("serve and ask", align="left")
    user = _regular(Shop.behind(stages))
    options = ServerOptions(
        models={stages.config.shop: ModelConfig(stages.model_base)},
        grpc_port=0,
        rest_port=0,
    )
    with running(options) as addresses:
        for address in (addresses.grpc, addresses.rest):
            stages.console.print(f"asking {address} for user {user}")
            recommend(Request(stages, address, user=user, k=k), new_only=True)
    stages.console.print(
        f"metrics: {stages.metrics_file}\n"
        f"report: {stages.report_page}\n"
        f"look at it: [bold]{program()} storefront -c {config}[/]\n"
        f"next: [bold]{program()} serve -c {config}[/], and in another terminal "
        f"[bold]{program()} recommend -c {config} --user {user}[/]"
    )


def _regular(shop: Shop) -> str:
    """Returns the first user with a history worth showing, or the first of all."""
    lengths = np.diff(shop.dataset.events.row_splits)
    row = int(np.argmax(lengths >= EVENTS_OF_A_REGULAR))
    user: str = shop.dataset.events.user_id[row].decode()
    return user
