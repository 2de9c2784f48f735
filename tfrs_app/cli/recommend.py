"""Asks a running server and shows the answer as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from serving.client import ClientError, ItemList, Recommender, Shopper, connect
from tfrs_app.cli.filters import filters_of
from tfrs_app.cli.published import Published
from tfrs_app.cli.shoppers import shopper_of
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError, ServerError
from tfrs_app.contract.features import ITEM_ID, Kind, Role
from tfrs_app.contract.privacy import UserKey

if TYPE_CHECKING:
    from tfrs_app.data.dataset import Dataset

HISTORY_SHOWN = 8
HEADS = {
    "relevance": "words",
    "source": "proposed by",
    "reason_item_id": "because of",
}
"""Attributes of an item in a list."""


@dataclass(frozen=True)
class Shop:
    """Knows texts and users of the dataset that the newest model was trained on."""

    dataset: Dataset
    history_length: int
    user_key: UserKey | None

    @classmethod
    def behind(cls, stages: Stages) -> Shop:
        """Follows the manifests from the newest model to its dataset.

        Raises:
            ArtifactError: no model is published, or its run or dataset is gone.
        """
        from tfrs_app.training.runs import run_config

        published = Published(stages.config, stages.console)
        return cls(
            published.current_dataset,
            run_config(published.run_folder).longest_history,
            UserKey.of(stages.config.data.hash_users),
        )

    @cached_property
    def _row(self) -> dict[str, int]:
        ids = self.dataset.catalogue[ITEM_ID]
        return {item.decode(): row for row, item in enumerate(ids)}

    def text(self, item_id: str) -> str:
        """Returns an item's texts, else its categories; a dash for an unknown item."""
        if item_id not in self._row:
            return "-"
        row, spec = self._row[item_id], self.dataset.spec
        features = spec.of(Role.CANDIDATE, Kind.TEXT) or spec.of(
            Role.CANDIDATE, Kind.CATEGORICAL
        )
        values = (self.dataset.catalogue[f.name][row].decode() for f in features)
        return " | ".join(value for value in values if value)

    def shopper(self, history: Sequence[str] | None, user: str | None) -> Shopper:
        """Returns whom to ask for: somebody new, a history, or a user.

        Raises:
            ConfigError: both are given, or the dataset has no such user.
        """
        if history is not None and user is not None:
            raise ConfigError("--history and --user exclude each other; give one")
        if user is not None:
            return self._user(user)
        return Shopper(history or ())

    def _user(self, user_id: str) -> Shopper:
        hashed = [self.user_key.pseudonym(user_id)] if self.user_key else []
        encoded = [name.encode() for name in (user_id, *hashed)]
        users = np.flatnonzero(np.isin(self.dataset.events.user_id, encoded))
        if not len(users):
            raise ConfigError(f"--user {user_id!r}: no such user in the dataset")
        return shopper_of(self.dataset, int(users[0]), self.history_length)


def recommend(
    stages: Stages,
    server: str,
    *,
    history: Sequence[str] | None,
    user: str | None,
    new_only: bool,
    filters: Sequence[str] = (),
    diversity: float = 0.0,
    k: int,
) -> list[str]:
    """Sends one request, prints the answer, and returns the item ids.

    It is for the model's main signature: `recommend`, or `retrieve` without a ranker.

    Args:
        stages: of the shop that the server serves.
        server: `host:port` for gRPC, `http://host:port` for REST.
        history: item ids, oldest first; empty for somebody new.
        user: a user of the dataset, instead of a history.
        new_only: whether items of the history are left out.
        filters: `NAME=VALUE` each.
        diversity: from 0, by score, to 1; for models with a ranker.
        k: length of the list.

    Raises:
        ConfigError: both a history and a user are given, or the user or a filter is
            unknown.
        ServerError: the server can't be reached or refuses the request.
    """
    shop = Shop.behind(stages)
    shopper = shop.shopper(history, user)
    chosen = filters_of(filters, shop.dataset.spec)
    if new_only:
        shopper = replace(shopper, exclude=shopper.history)
    with asking(stages, server) as client:
        (answer,) = client.recommend_many(
            [shopper], k=k, filters=chosen, diversity=diversity
        )
    show_history(stages.console, shop, shopper)
    show_list(stages.console, shop, answer, f"recommended by {server}")
    return answer.item_ids


@contextmanager
def asking(stages: Stages, server: str) -> Iterator[Recommender]:
    """Yields a client of the shop's model.

    Raises:
        ServerError: the server can't be reached or refuses the request.
    """
    try:
        with connect(server, model=stages.config.shop) as client:
            yield client
    except ClientError as error:
        raise ServerError(str(error)) from error


def show_history(console: Console, shop: Shop, shopper: Shopper) -> None:
    """Prints the newest events of a request."""
    if not shopper.history:
        return
    recent = shopper.history[-HISTORY_SHOWN:]
    table = Table("item", "text", title=f"history, last {len(recent)}")
    for item in recent:
        table.add_row(escape(item), escape(shop.text(item)))
    console.print(table)


def show_list(console: Console, shop: Shop, answer: ItemList, title: str) -> None:
    """Prints a list of items with what is told of each."""
    told = {
        head: [_text(getattr(item, name)) for item in answer]
        for name, head in HEADS.items()
    }
    shown = {head: texts for head, texts in told.items() if any(texts)}
    table = Table("#", "item", "text", "score", *shown, title=title)
    for row, item in enumerate(answer):
        more = [texts[row] for texts in shown.values()]
        cells = [item.item_id, shop.text(item.item_id), f"{item.score:.4f}", *more]
        table.add_row(str(row + 1), *map(escape, cells))
    console.print(table)


def _text(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.3f}"
