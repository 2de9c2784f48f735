"""Asks a running server for items that words stand for."""

from __future__ import annotations

from collections.abc import Sequence

from tfrs_app.cli.filters import filters_of
from tfrs_app.cli.recommend import Shop, asking, show_list
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError


def search(
    stages: Stages,
    server: str,
    text: str,
    *,
    history: Sequence[str] | None,
    user: str | None,
    filters: Sequence[str],
    personal: float | None,
    k: int,
) -> list[str]:
    """Sends one request, prints the answer, and returns the item ids.

    Args:
        stages: of the shop that the server serves.
        server: `host:port` for gRPC, `http://host:port` for REST.
        text: what is looked for.
        history: item ids, oldest first; empty for somebody new.
        user: a user of the dataset, instead of a history.
        filters: `NAME=VALUE` each.
        personal: how much the shopper's own liking counts; None: as the model says.
        k: length of the list.

    Raises:
        ConfigError: the shop's towers read no texts, both a history and a user are
            given, or the user or a filter is unknown.
        ServerError: the server can't be reached or refuses the request.
    """
    if not stages.embeds_texts:
        raise ConfigError(
            "text: this section is absent, so there are no texts to be searched; add "
            "`text: {}`, train and export"
        )
    shop = Shop.behind(stages)
    shopper = shop.shopper(history, user)
    chosen = filters_of(filters, shop.dataset.spec)
    with asking(stages, server) as client:
        answer = client.search(text, shopper, k=k, filters=chosen, personal=personal)
    show_list(stages.console, shop, answer, f"found for {text!r} by {server}")
    return answer.item_ids
