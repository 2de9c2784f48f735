"""The client for asyncio; apart, for importing asyncio takes as long as all else."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from serving.client.questions import Questions
from serving.client.recommender import Client
from serving.client.steps import Steps, drive_async
from serving.client.transport import AsyncTransport

P = ParamSpec("P")
T = TypeVar("T")


def _by_task(
    method: Callable[Concatenate[Questions, P], Steps[T]],
) -> Callable[Concatenate[AsyncRecommender, P], Coroutine[Any, Any, T]]:
    """Returns a method that holds a conversation to its end, without blocking."""

    @functools.wraps(method)
    async def ask(client: AsyncRecommender, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client._drive(method(client._questions, *args, **kwargs))

    return ask


class AsyncRecommender(Client):
    """The same for asyncio: every method is awaited; tasks of one loop may share it."""

    def __init__(
        self,
        questions: Questions,
        transport: AsyncTransport,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Takes what asks, what carries, and how to wait; see `connect_async`."""
        super().__init__(questions)
        self._transport, self._sleep = transport, sleep

    predict = _by_task(Questions.predict)
    signatures = _by_task(Questions.signatures)
    status = _by_task(Questions.status)
    recommend = _by_task(Questions.recommend)
    recommend_many = _by_task(Questions.recommend_many)
    similar_items = _by_task(Questions.similar_items)
    complete_basket = _by_task(Questions.complete_basket)
    search = _by_task(Questions.search)
    explain = _by_task(Questions.explain)

    async def close(self) -> None:
        """Closes the connections."""
        self._closed = True
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _drive(self, steps: Steps[T]) -> T:
        self.check_open()
        return await drive_async(steps, self._transport.send, self._sleep)
