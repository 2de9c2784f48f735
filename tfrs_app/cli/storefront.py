"""The command that shows a shop's recommendations on a page."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Annotated

import typer

from tfrs_app.cli.options import ConfigOption, SetOption, stages_of
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError, ServerError

VERSIONS_TO_COMPARE = 2


def storefront(
    config: ConfigOption,
    overrides: SetOption = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="host:port (gRPC) or http://host:port (REST) of a running server; "
            "without it the page brings one of its own."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0: a free one.")
    ] = 8600,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION|SERVER",
            help="Version, or address of a second server, to show side by side.",
        ),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option(help="Until the page gives a request up.")
    ] = 5.0,
) -> None:
    """Show a shop's recommendations on a page of this machine."""
    from serving.client import InvalidRequest
    from serving.storefront import Models, serve_page
    from serving.storefront import storefront as page_of
    from serving.storefront.site import address_of
    from tfrs_app.cli.shop import Shop
    from tfrs_app.cli.storefront_catalogue import catalogue_of

    if not timeout_s > 0:
        raise ConfigError(f"--timeout-s {timeout_s} must be above 0; give e.g. 5")
    stages = stages_of(config, overrides)
    version = int(compare) if compare and compare.isdecimal() else None
    second = compare if version is None else None
    with ExitStack() as opened:
        place = opened.enter_context(own_port(port))
        catalogue = catalogue_of(Shop.behind(stages), stages.config.shop)
        address = server or opened.enter_context(own_server(stages, version))
        try:
            models = Models(
                stages.config.shop,
                address,
                second,
                compared=version,
                timeout_s=timeout_s,
            )
        except InvalidRequest as error:
            raise ConfigError(str(error)) from error
        stages.console.print(
            f"asking {address}\nopen [bold]{address_of(place)}[/]; Ctrl+C ends it"
        )
        with suppress(KeyboardInterrupt):
            serve_page(page_of(catalogue, models), place)
    stages.console.print("ended")


@contextmanager
def own_port(port: int) -> Iterator[socket.socket]:
    """Listens for the page.

    Raises:
        ServerError: the port is taken, or not for this user.
    """
    from serving.storefront import listening

    with ExitStack() as opened:
        try:
            place = opened.enter_context(listening(port))
        except OSError as error:
            raise ServerError(
                f"port {port} cannot be listened on ({error}); choose another --port"
            ) from error
        yield place


@contextmanager
def own_server(stages: Stages, version: int | None) -> Iterator[str]:
    """Serves the newest models on a free port; yields the address.

    Raises:
        ConfigError: the version to compare with is not published.
    """
    from serving.server.models.model_config import Latest, ModelConfig, Specific
    from serving.server.options import ServerOptions
    from serving.server.server import running
    from tfrs_app.export.publish import versions

    published = versions(stages.model_base)
    policy: Latest | Specific = Latest(VERSIONS_TO_COMPARE)
    if version is not None:
        if version not in published:
            known = ", ".join(map(str, published))
            raise ConfigError(
                f"--compare {version}: no such version is published; there are {known}"
            )
        policy = Specific(frozenset({version, published[-1]}))
    options = ServerOptions(
        models={stages.config.shop: ModelConfig(stages.model_base, policy)},
        grpc_port=0,
        rest_port=None,
    )
    with running(options) as addresses:
        yield addresses.grpc
