"""Sends on schedule, so that a slow answer delays no other request.

A closed loop, which waits for an answer before it asks again, asks least when the
server is slowest and so hides it ("coordinated omission",
https://www.youtube.com/watch?v=lJ8ydIuPFeU). Here every latency counts from the moment
that a request was due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from serving.client.errors import ClientError, DeadlineExceeded
from serving.load.plan import Plan
from serving.load.record import Record

NOT_SENT = "NotSent"

Ask = Callable[[int, float], Awaitable[None]]
"""Sends the request of a number within seconds; raises ClientError if that fails."""


async def send_all(
    plan: Plan,
    ask: Ask,
    record: Record,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Sends every request at its time and waits for the last answer.

    Args:
        plan: when, and how many at once.
        ask: sends one.
        record: takes what became of each.
        clock: seconds that never go back.
        sleep: lets them pass.
    """
    start = clock()
    on_their_way = 0

    async def send(number: int, due: float) -> None:
        nonlocal on_their_way
        sent, failure, words = clock(), "", ""
        try:
            left_s = plan.timeout_s - (sent - due)
            if left_s <= 0:
                raise DeadlineExceeded("not sent in time")
            await ask(number, left_s)
        except ClientError as error:
            failure, words = type(error).__name__, str(error)
        finally:
            on_their_way -= 1
        record.add(number, due - start, sent - due, clock() - due, failure, words)

    async with asyncio.TaskGroup() as tasks:
        for number in range(plan.requests):
            due = start + number / plan.rate
            # Even when late: the answers need their turn, too.
            await sleep(max(0.0, due - clock()))
            if on_their_way >= plan.in_flight:
                late = clock() - due
                record.add(number, due - start, late, late, NOT_SENT)
                continue
            on_their_way += 1
            tasks.create_task(send(number, due))
