"""What is shown when a model gives no answer, if the shop wants that at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, Literal

from serving.client.answers import Item, ItemList
from serving.client.errors import (
    AccessDenied,
    ClientError,
    InvalidRequest,
)
from serving.client.shopper import Shopper

POPULAR: Final = "popular"
"""The model's own answer to somebody without a history, remembered."""
SOURCE = "fallback"
REMEMBERED = 200
"""How many popular items are asked for."""
FRESH_S = 3600.0
"""How long they are popular."""


@dataclass(frozen=True)
class Asked:
    """Tells what got no answer.

    Attributes:
        shopper: whom it was for.
        k: how many items were asked for.
        filters: that every item has to pass.
        error: what went wrong.
    """

    shopper: Shopper
    k: int
    filters: Mapping[str, Any]
    error: ClientError


Fallback = Sequence[str] | Literal["popular"] | Callable[[Asked], Sequence[str]]


@dataclass
class FallbackList:
    """Answers in the model's place.

    Attributes:
        source: item ids, the best first; or what returns them for a request; or
            `POPULAR`.
    """

    source: Fallback
    _remembered: tuple[str, ...] = field(default=(), init=False)
    _remembered_at: float = field(default=-inf, init=False)

    def wants_popular(self, now: float) -> bool:
        """Tells whether the popular items have to be asked for, at a time in s."""
        return self.source == POPULAR and now - self._remembered_at > FRESH_S

    def remember(self, item_ids: Sequence[str], now: float) -> None:
        """Keeps the popular items."""
        self._remembered, self._remembered_at = tuple(item_ids), now

    def answer(self, asked: Asked) -> ItemList | None:
        """Returns a list that says that it is one; None: there is nothing to show.

        A mistake of the caller and a refused token are no reason to pretend. Only a
        function can obey filters: other lists do not answer requests that have some.
        """
        if isinstance(asked.error, InvalidRequest | AccessDenied):
            return None
        ids = self._ids(asked)
        barred: Collection[str] = frozenset(asked.shopper.exclude)
        kept = [item for item in dict.fromkeys(ids) if item not in barred]
        if not kept:
            return None
        return ItemList(
            tuple(Item(item, 0.0, source=SOURCE) for item in kept[: asked.k]),
            degraded=True,
            why=f"{type(asked.error).__name__}: {asked.error}",
        )

    def _ids(self, asked: Asked) -> Sequence[str]:
        if callable(self.source):
            return self.source(asked)
        if asked.filters:
            return ()
        return self._remembered if self.source == POPULAR else self.source
