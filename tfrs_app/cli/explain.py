"""Asks a running server why items are, or are not, recommended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from serving.client import Explanation
from tfrs_app.cli.filters import filters_of
from tfrs_app.cli.recommend import Shop, asking, show_history
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError

WORDS = {
    "unknown": "the catalogue lacks it",
    "gone": "it is no longer on sale",
    "excluded": "the request excludes it",
    "filtered": "a filter does not allow it",
    "not_proposed": "no source proposes it",
    "listed": "listed",
    "made_way": "made way for the sake of variety",
    "outranked": "others score higher",
}
REASONS_SHOWN = 3


def explain(
    stages: Stages,
    server: str,
    items: Sequence[str],
    *,
    history: Sequence[str] | None,
    user: str | None,
    filters: Sequence[str],
    k: int,
) -> list[str]:
    """Sends one request, prints what becomes of the items, and returns their fates.

    Args:
        stages: of the shop that the server serves.
        server: `host:port` for gRPC, `http://host:port` for REST.
        items: ids.
        history: item ids, oldest first; empty for somebody new.
        user: a user of the dataset, instead of a history.
        filters: `NAME=VALUE` each.
        k: length of the list that they are, or are not, on.

    Raises:
        ConfigError: the config has no ranker, both a history and a user are given, or
            the user or a filter is unknown.
        ServerError: the server can't be reached or refuses the request.
    """
    if stages.config.ranking is None:
        raise ConfigError(
            "ranking: this section is absent, and only a model with a ranker explains; "
            "add `ranking: {}`, train and export"
        )
    shop = Shop.behind(stages)
    shopper = shop.shopper(history, user)
    chosen = filters_of(filters, shop.dataset.spec)
    with asking(stages, server) as client:
        told = client.explain(items, shopper, k=k, filters=chosen)
    show_history(stages.console, shop, shopper)
    table = Table(
        "item", "text", "what becomes of it", "proposed by", "rank", "towers' rank",
        "score", "gains most from",
        title=f"why, says {server}",
    )  # fmt: skip
    for explanation in told:
        table.add_row(*map(escape, _cells(shop, explanation)))
    stages.console.print(table)
    return [explanation.fate for explanation in told]


def _cells(shop: Shop, told: Explanation) -> list[str]:
    place = f" at {told.place}" if told.place else ""
    return [
        told.item_id,
        shop.text(told.item_id),
        WORDS[told.fate] + place,
        ", ".join(told.sources),
        str(told.rank or "-"),
        str(told.retrieval_rank or "-"),
        f"{told.score:.4f}",
        _reasons(told.effects),
    ]


def _reasons(effects: Mapping[str, float]) -> str:
    """Returns the items of the history without which the score would be lower."""
    order = sorted(effects, key=lambda item: -effects[item])[:REASONS_SHOWN]
    return ", ".join(
        f"{item} (+{effects[item]:.4f})" for item in order if effects[item] > 0
    )
