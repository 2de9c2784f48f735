"""Asks a running server why items are, or are not, recommended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.recommend import Shop, ask, show_history
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.signatures import (
    EFFECT,
    EXPLAIN,
    FATE,
    ITEM_ID,
    LEFT_OUT_ITEM,
    PLACE,
    RANK_OF,
    RETRIEVAL_RANK,
    SCORE,
    SOURCES_TOLD,
    K,
)

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
    inputs = shop.inputs_of(history, user, filters)
    asked = {**inputs, ITEM_ID: np.array([items], object), K: np.array(k, np.int32)}
    told = ask(stages, server, EXPLAIN, asked)
    show_history(stages.console, shop, inputs)
    table = Table(
        "item", "text", "what becomes of it", "proposed by", "rank", "towers' rank",
        "score", "gains most from",
        title=f"why, says {server}",
    )  # fmt: skip
    fates = [str(fate) for fate in told[FATE][0]]
    for place, item in enumerate(items):
        said = WORDS[fates[place]]
        if told[PLACE][0][place]:
            said += f" at {told[PLACE][0][place]}"
        cells = [
            item,
            shop.text(item),
            said,
            str(told[SOURCES_TOLD][0][place]).replace(",", ", "),
            str(told[RANK_OF][0][place] or "-"),
            str(told[RETRIEVAL_RANK][0][place] or "-"),
            f"{told[SCORE][0][place]:.4f}",
            _reasons(told[LEFT_OUT_ITEM][0], told[EFFECT][0][place]),
        ]
        table.add_row(*map(escape, cells))
    stages.console.print(table)
    return fates


def _reasons(left_out: Sequence[str], effect: Sequence[float]) -> str:
    """Returns the items of the history without which the score would be lower."""
    order = np.argsort(-np.asarray(effect), kind="stable")[:REASONS_SHOWN]
    return ", ".join(
        f"{left_out[n]} (+{effect[n]:.4f})" for n in order if effect[n] > 0
    )
