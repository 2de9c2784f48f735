"""What the commands that ask a server have in common: whom, for whom, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from rich.markup import escape
from rich.table import Table

from serving.client import ClientError, ItemList, Recommender, Shopper, connect
from tfrs_app.cli.filters import Filters, filters_of
from tfrs_app.cli.shop import Shop
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ServerError

HISTORY_SHOWN = 8
HEADS = {
    "relevance": "words",
    "source": "proposed by",
    "reason_item_id": "because of",
}
"""Attributes of an item in a list."""


@dataclass(frozen=True)
class Request:
    """Holds what every question to a shop's server says.

    Args:
        stages: of the shop that the server serves.
        server: `host:port` for gRPC, `http://host:port` for REST.
        history: item ids, oldest first; empty for somebody new.
        user: a user of the dataset, instead of a history.
        given: filters, `NAME=VALUE` each.
        k: length of the list.

    Every property raises ArtifactError where no model is published, and ConfigError
    where both a history and a user are given, or the user or a filter is unknown.
    """

    stages: Stages
    server: str
    history: Sequence[str] | None = None
    user: str | None = None
    given: Sequence[str] = ()
    k: int = 10

    @cached_property
    def shop(self) -> Shop:
        """Returns what is known of the shop's items and users."""
        return Shop.behind(self.stages)

    @cached_property
    def shopper(self) -> Shopper:
        """Returns whom to ask for."""
        return self.shop.shopper(self.history, self.user)

    @cached_property
    def filters(self) -> Filters:
        """Returns the filters as the client takes them."""
        return filters_of(self.given, self.shop.dataset.spec)

    @contextmanager
    def client(self) -> Iterator[Recommender]:
        """Yields a client of the shop's model.

        Raises:
            ServerError: the server can't be reached or refuses the request.
        """
        try:
            with connect(self.server, model=self.stages.config.shop) as client:
                yield client
        except ClientError as error:
            raise ServerError(str(error)) from error

    def show_history(self) -> None:
        """Prints the newest events of the shopper."""
        if not self.shopper.history:
            return
        recent = self.shopper.history[-HISTORY_SHOWN:]
        table = Table("item", "text", title=f"history, last {len(recent)}")
        for item in recent:
            table.add_row(escape(item), escape(self.shop.text(item)))
        self.stages.console.print(table)

    def show_list(self, answer: ItemList, title: str) -> None:
        """Prints a list of items with what is told of each."""
        told = {
            head: [_text(getattr(item, name)) for item in answer]
            for name, head in HEADS.items()
        }
        shown = {head: texts for head, texts in told.items() if any(texts)}
        table = Table("#", "item", "text", "score", *shown, title=title)
        for row, item in enumerate(answer):
            more = [texts[row] for texts in shown.values()]
            text = self.shop.text(item.item_id)
            cells = [item.item_id, text, f"{item.score:.4f}", *more]
            table.add_row(str(row + 1), *map(escape, cells))
        self.stages.console.print(table)

    def as_json(self, answer: ItemList) -> dict[str, Any]:
        """Returns what `--json` prints of a list."""
        items = [
            {**asdict(item), "text": self.shop.text(item.item_id)} for item in answer
        ]
        return {"history": self.shopper.history, "items": items}


def _text(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.3f}"
