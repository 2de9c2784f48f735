"""Asks a running server and shows the answer as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.filters import filters_of
from tfrs_app.cli.published import Published
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError, ServerError
from tfrs_app.contract.features import HISTORY_ITEM_ID, ITEM_ID, Kind, Role
from tfrs_app.contract.privacy import UserKey
from tfrs_app.contract.signatures import (
    DIVERSITY,
    EXCLUDE,
    REASON,
    RELEVANCE,
    SCORE,
    SERVING_DEFAULT,
    SOURCE,
    K,
)

if TYPE_CHECKING:
    from tfrs_app.data.dataset import Dataset

HISTORY_SHOWN = 8
HEADS = {RELEVANCE: "words", SOURCE: "proposed by", REASON: "because of"}


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

    def query_of(self, user_id: str) -> dict[str, np.ndarray]:
        """Returns what a client would send for a user, batch 1.

        Raises:
            ConfigError: the dataset has no such user.
        """
        from tfrs_app.export.warmup import raw_query

        hashed = [self.user_key.pseudonym(user_id)] if self.user_key else []
        encoded = [name.encode() for name in (user_id, *hashed)]
        users = np.flatnonzero(np.isin(self.dataset.events.user_id, encoded))
        if not len(users):
            raise ConfigError(f"--user {user_id!r}: no such user in the dataset")
        return raw_query(self.dataset, int(users[0]), self.history_length)

    def inputs_of(
        self, history: Sequence[str] | None, user: str | None, filters: Sequence[str]
    ) -> dict[str, Any]:
        """Returns what a client would send for a history or user, and filters.

        Raises:
            ConfigError: both are given, or the user or a filter is unknown.
        """
        if history is not None and user is not None:
            raise ConfigError("--history and --user exclude each other; give one")
        chosen = filters_of(filters, self.dataset.spec)
        inputs: dict[str, Any] = {}
        if user is not None:
            inputs = self.query_of(user)
        elif history is not None:
            inputs = {HISTORY_ITEM_ID: np.array([history], dtype=object)}
        return {**inputs, **chosen}


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
    inputs = shop.inputs_of(history, user, filters)
    if new_only and HISTORY_ITEM_ID in inputs:
        inputs[EXCLUDE] = inputs[HISTORY_ITEM_ID]
    inputs[K] = np.array(k, np.int32)
    if diversity:
        inputs[DIVERSITY] = np.array([diversity], np.float32)
    answer = ask(stages, server, SERVING_DEFAULT, inputs)
    show_history(stages.console, shop, inputs)
    show_list(stages.console, shop, answer, f"recommended by {server}")
    return [item for item in answer[ITEM_ID][0] if item]


def ask(
    stages: Stages, server: str, signature: str, inputs: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Returns what the shop's server answers.

    Raises:
        ServerError: the server can't be reached or refuses the request.
    """
    from serving.client import ClientError, connect

    try:
        with connect(server, model=stages.config.shop) as client:
            return client.predict(signature, inputs)
    except ClientError as error:
        raise ServerError(str(error)) from error


def show_history(console: Console, shop: Shop, inputs: Mapping[str, Any]) -> None:
    """Prints the newest events of a request."""
    if HISTORY_ITEM_ID not in inputs:
        return
    recent = [_text(i) for i in inputs[HISTORY_ITEM_ID][0]][-HISTORY_SHOWN:]
    table = Table("item", "text", title=f"history, last {len(recent)}")
    for item in recent:
        table.add_row(escape(item), escape(shop.text(item)))
    console.print(table)


def show_list(
    console: Console, shop: Shop, answer: Mapping[str, Any], title: str
) -> None:
    """Prints a list of items with what is told of each."""
    told = [name for name in HEADS if name in answer]
    table = Table("#", "item", "text", "score", title=title)
    for name in told:
        table.add_column(HEADS[name])
    pairs = zip(answer[ITEM_ID][0], answer[SCORE][0], strict=True)
    for rank, (item, score) in enumerate(pairs, start=1):
        if item:
            more = [_text(answer[name][0][rank - 1]) for name in told]
            cells = [item, shop.text(item), f"{score:.4f}", *more]
            table.add_row(str(rank), *map(escape, cells))
    console.print(table)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, str) else f"{value:.3f}"
