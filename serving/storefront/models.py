"""The models that are asked: by the client alone, each choice by one of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from serving.client import Exchange, Retries, Signature, connect_async
from serving.client.async_recommender import AsyncRecommender
from serving.storefront.bodies import Choice

MOST_CLIENTS = 8
_FILTERS = ("allow_", "block_", "min_", "max_")
_MAIN = "serving_default"

_heard: ContextVar[list[Exchange] | None] = ContextVar("heard", default=None)


class Models:
    """Holds clients of one server, or of two that are compared."""

    def __init__(
        self,
        model: str,
        first: str,
        second: str | None = None,
        *,
        compared: int | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        """Takes where to ask.

        Args:
            model: its name, on either server.
            first: address that is asked by default.
            second: address of another server that the page may compare with.
            compared: version of the first server to compare with.
            timeout_s: of each call.

        Raises:
            InvalidRequest: an address has a form that the client does not know.
        """
        self.model, self.compared = model, compared
        self.addresses = {"first": first} | ({"second": second} if second else {})
        self._timeout_s = timeout_s
        self._clients: OrderedDict[Choice, AsyncRecommender] = OrderedDict()
        for address in self.addresses.values():  # a bad one is told at once
            self._connect(address, None)

    async def client(self, choice: Choice) -> AsyncRecommender:
        """Returns the client of a choice; it connects when it is first asked.

        Raises:
            KeyError: there is no second server.
        """
        address = self.addresses[choice.server]
        if choice not in self._clients:
            self._clients[choice] = self._connect(address, choice.version)
        self._clients.move_to_end(choice)
        if len(self._clients) > MOST_CLIENTS:
            _, oldest = self._clients.popitem(last=False)
            await oldest.close()
        return self._clients[choice]

    async def close(self) -> None:
        """Closes all connections."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.close()

    def _connect(self, address: str, version: int | None) -> AsyncRecommender:
        return connect_async(
            address,
            model=self.model,
            version=version,
            timeout_s=self._timeout_s,
            retries=Retries(attempts=2),
            watch=_hear,
        )


@contextmanager
def hearing() -> Iterator[list[Exchange]]:
    """Yields what the server is asked, and answers, in the present task."""
    calls: list[Exchange] = []
    token = _heard.set(calls)
    try:
        yield calls
    finally:
        _heard.reset(token)


def abilities(signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """Returns what a model can be asked, as its signatures tell."""
    main = signatures.get(_MAIN)
    inputs = main.inputs if main else {}
    return {
        "signatures": sorted(signatures),
        "ranks": "rank" in signatures,
        "similar": "similar_items" in signatures,
        "completes": "complete_basket" in signatures,
        "searches": "search" in signatures,
        "explains": "explain" in signatures,
        "diversifies": "diversity" in inputs,
        "filters": sorted(name for name in inputs if name.startswith(_FILTERS)),
        "probabilities": sorted(
            name.removeprefix("probability_")
            for name in (main.outputs if main else {})
            if name.startswith("probability_")
        ),
    }


def _hear(exchange: Exchange) -> None:
    calls = _heard.get()
    if calls is not None:
        calls.append(exchange)
