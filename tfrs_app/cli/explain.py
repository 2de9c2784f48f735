"""Asks a running server why items are, or are not, recommended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from serving.client import Explanation
from tfrs_app.cli.request import Request
from tfrs_app.cli.shop import Shop
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


def explain(request: Request, items: Sequence[str]) -> list[Explanation]:
    """Sends one request, prints what becomes of the items, and returns it.

    Args:
        request: whom to ask, and for whom; `k` is the length of the list that they
            are, or are not, on.
        items: ids.

    Raises:
        ConfigError: the config has no ranker, or the request makes no sense.
        ServerError: the server can't be reached or refuses the request.
    """
    if request.stages.config.ranking is None:
        raise ConfigError(
            "ranking: this section is absent, and only a model with a ranker explains; "
            "add `ranking: {}`, train and export"
        )
    shopper, filters = request.shopper, request.filters
    with request.client() as client:
        told = client.explain(items, shopper, k=request.k, filters=filters)
    request.show_history()
    table = Table(
        "item", "text", "what becomes of it", "proposed by", "rank", "towers' rank",
        "score", "gains most from",
        title=f"why, says {request.server}",
    )  # fmt: skip
    for explanation in told:
        table.add_row(*map(escape, _cells(request.shop, explanation)))
    request.stages.console.print(table)
    return list(told)


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
