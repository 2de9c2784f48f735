"""Brings answers from the threads that run models to an event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import Future
from typing import TypeVar

import grpc

from serving.server.errors import ServingError

T = TypeVar("T")


class Landing:
    """Lets coroutines of one loop wait for futures of other threads.

    The answers of a batch arrive together: the loop is woken once for all of them, not
    once for each as by `asyncio.wrap_future`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes the loop that waits."""
        self._loop = loop
        self._arrived: deque[asyncio.Future[None]] = deque()
        self._is_woken = False

    async def result(self, future: Future[T], deadline: float) -> T:
        """Returns a future's result.

        Args:
            future: of another thread.
            deadline: `time.monotonic()` after which its result is no longer wanted.

        Raises:
            ServingError: DEADLINE_EXCEEDED, or what the future raises.
        """
        if future.done():
            return future.result()
        waiter: asyncio.Future[None] = self._loop.create_future()
        left_s = max(deadline - time.monotonic(), 0)
        timer = self._loop.call_later(left_s, _wake, waiter)
        future.add_done_callback(lambda _: self._arrive(waiter))
        try:
            await waiter
        finally:
            timer.cancel()
            future.cancel()  # if it waits still, nobody needs it any more
        if not future.done() or future.cancelled():
            raise ServingError(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                "the deadline passed before the model's answer was ready",
            )
        return future.result()

    def _arrive(self, waiter: asyncio.Future[None]) -> None:
        """Notes, on whatever thread, that a waiter's future is done."""
        self._arrived.append(waiter)
        # Looked at after the append, and reset before the loop looks at what arrived:
        # nothing can arrive unseen.
        if not self._is_woken and not self._loop.is_closed():
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._land)

    def _land(self) -> None:
        self._is_woken = False
        while self._arrived:
            _wake(self._arrived.popleft())


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
