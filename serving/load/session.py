"""One load test: requests on schedule, beside them new versions, a look at memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.client.shopper import Shopper
from serving.load.generator import send_all
from serving.load.memory import resident_mib, watch
from serving.load.plan import Plan
from serving.load.probe import Probe, Server, opened_probe
from serving.load.record import Record
from serving.load.swaps import Copies, Swap, swap_every

_MEMORY_EVERY_S = 1.0


@dataclass(frozen=True)
class Beside:
    """Says what goes on beside the load.

    Attributes:
        base_path: where versions are published, if the plan wants any.
        server_pid: whose memory is watched; None: nobody's.
    """

    base_path: Path
    server_pid: int | None = None


@dataclass
class Outcome:
    """Holds what a load test found."""

    record: Record
    swaps: list[Swap] = field(default_factory=list)
    memory_mib: list[tuple[float, float]] = field(default_factory=list)


def load(
    plan: Plan,
    server: Server,
    signature: str,
    shoppers: Sequence[Shopper],
    k: int,
    beside: Beside,
) -> Outcome:
    """Puts a server under load and returns what became of the requests.

    Args:
        plan: how much, how long.
        server: to ask.
        signature: that lists items for a shopper.
        shoppers: one request each, sent in turn.
        k: length of the lists.
        beside: what else goes on.

    Raises:
        ClientError: the server can't be asked at all.
        ConfigError: the process to be watched is not there.
    """
    if beside.server_pid is not None:
        resident_mib(beside.server_pid)
    copies = Copies(beside.base_path) if plan.swap_every_s is not None else None
    try:
        return asyncio.run(_load(plan, server, signature, shoppers, k, beside, copies))
    finally:
        if copies is not None:
            copies.remove()


async def _load(
    plan: Plan,
    server: Server,
    signature: str,
    shoppers: Sequence[Shopper],
    k: int,
    beside: Beside,
    copies: Copies | None,
) -> Outcome:
    outcome = Outcome(Record(plan.requests))
    async with opened_probe(server, signature, shoppers, k) as probe:
        await probe.ask(0, plan.timeout_s)  # connects, and fails before all the rest
        async with _meanwhile(_watching(plan, probe, beside, copies, outcome)):
            await send_all(plan, probe.ask, outcome.record)
    return outcome


def _watching(
    plan: Plan, probe: Probe, beside: Beside, copies: Copies | None, outcome: Outcome
) -> list[Coroutine[Any, Any, None]]:
    jobs: list[Coroutine[Any, Any, None]] = []
    if copies is not None and plan.swap_every_s is not None:
        jobs.append(
            swap_every(plan.swap_every_s, copies.publish, probe.versions, outcome.swaps)
        )
    if beside.server_pid is not None:
        jobs.append(watch(beside.server_pid, _MEMORY_EVERY_S, outcome.memory_mib))
    return jobs


@asynccontextmanager
async def _meanwhile(jobs: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Runs jobs while the context is open; what goes wrong in one is raised."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
