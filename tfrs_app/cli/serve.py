"""The command that serves a shop's models."""

from __future__ import annotations

from typing import Annotated

import typer

from serving.engine import Engine, Plan, start
from serving.server.models.versions import versions_in
from tfrs_app.cli.ending import command_line
from tfrs_app.cli.options import ConfigOption, SetOption, stages_of
from tfrs_app.contract.errors import ServerError

PortOption = Annotated[str, typer.Option(metavar="PORT|auto|0", help="0: none.")]


def serve(
    config: ConfigOption,
    flags: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- --FLAG=VALUE...]",
            help="Flags of tensorflow_model_server, e.g. --enable_batching; all: "
            "python -m serving.server --help.",
        ),
    ] = None,
    overrides: SetOption = None,
    engine: Annotated[
        Engine, typer.Option(help="Program that serves; see docs/serving.md.")
    ] = Engine.AUTO,
    port: PortOption = "8500",
    rest_api_port: PortOption = "8501",
    bind: Annotated[str, typer.Option(help="IP address to listen on.")] = "127.0.0.1",
    insecure_allow_remote: Annotated[
        bool, typer.Option(help="Allow a bind that other machines can reach.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that share the ports.")
    ] = 1,
) -> None:
    """Serve a shop's models over gRPC and REST, as TensorFlow Serving does.

    New versions are taken over while it runs.
    """
    stages = stages_of(config, overrides)
    base_path = stages.model_base
    if not base_path.is_dir() or not versions_in(base_path):
        raise ServerError(f"{base_path}: no model is published; run `tfrs-app export`")
    plan = Plan(
        model=stages.config.shop,
        base_path=base_path,
        grpc_port=port,
        rest_port=rest_api_port,
        bind=bind,
        insecure_allow_remote=insecure_allow_remote,
        workers=workers,
        flags=flags or [],
    )
    hint = command_line("recommend", config, overrides or ())
    typer.echo(f"next, in another terminal: {hint}", err=True)
    raise typer.Exit(start(engine, plan))
