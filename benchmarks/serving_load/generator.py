"""A load generator for gRPC and REST; without TensorFlow, in a process of its own.

    python generator.py grpc|rest HOST:PORT FILE CONNECTIONS SECONDS RATE CORE

With a rate of 0 each connection asks again as soon as it has its answer (closed loop);
with another, so many requests a second start at constant distances, whatever became of
those before (open loop), and a latency counts from when its request should have
started. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc.aio
import uvloop
from messages import read_messages

Ask = Callable[[bytes], Awaitable[bool]]

_METHOD = "/tensorflow.serving.PredictionService/Predict"
_WARM_UP_S = 1.0


class Http(asyncio.Protocol):
    """One HTTP/1.1 connection that asks one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bool] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Answers whoever waits that it failed."""
        if self._answer and not self._answer.done():
            self._answer.set_result(False)

    async def ask(self, message: bytes) -> bool:
        """Returns whether a request got status 200."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """Answers whoever waits once the answer is complete."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._buffer[:head].lower()
        start = lower.index(b"content-length:") + 15
        size = int(lower[start : start + 12].split(b"\r")[0])
        if len(self._buffer) >= head + 4 + size:
            assert self._answer is not None
            self._answer.set_result(self._buffer.startswith(b"HTTP/1.1 200"))
            self._buffer = b""


async def http(address: str) -> Ask:
    """Returns what asks over a new connection."""
    host, port = address.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(Http, host, int(port))
    return protocol.ask


async def rpc(address: str) -> Ask:
    """Returns what asks over a new connection."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = grpc.aio.insecure_channel(address, options=options)
    await channel.channel_ready()
    call = channel.unary_unary(_METHOD)

    async def ask(message: bytes) -> bool:
        try:
            await call(message, timeout=30)
        except grpc.aio.AioRpcError:
            return False
        return True

    return ask


async def closed(asks: list[Ask], messages: list[bytes], seconds: float) -> dict:
    """Asks as fast as there are answers; the first second does not count."""
    latencies: list[float] = []
    errors = asked = 0
    begin = time.perf_counter() + _WARM_UP_S
    end = begin + seconds

    async def work(ask: Ask, draw: random.Random) -> None:
        nonlocal errors, asked
        while (started := time.perf_counter()) < end:
            asked += 1
            good = await ask(draw.choice(messages))
            ended = time.perf_counter()
            if begin <= ended <= end:
                errors += not good
                latencies.append(ended - started)

    await asyncio.gather(*(work(ask, random.Random(n)) for n, ask in enumerate(asks)))
    return {"asked": asked, **summary(latencies, errors, seconds)}


async def opened(
    asks: list[Ask], messages: list[bytes], seconds: float, rate: float
) -> dict:
    """Asks at constant distances, over whichever connection is free."""
    free: asyncio.Queue[Ask] = asyncio.Queue()
    for ask in asks:
        free.put_nowait(ask)
    latencies: list[float] = []
    errors = 0
    draw = random.Random(0)
    first = time.perf_counter()

    async def one(due: float) -> None:
        nonlocal errors
        ask = await free.get()
        good = await ask(draw.choice(messages))
        free.put_nowait(ask)
        if due - first >= _WARM_UP_S:
            errors += not good
            latencies.append(time.perf_counter() - due)

    waiting = set()
    for number in range(int((seconds + _WARM_UP_S) * rate)):
        due = first + number / rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        waiting.add(asyncio.ensure_future(one(due)))
    await asyncio.gather(*waiting)
    return {"asked": len(waiting), **summary(latencies, errors, seconds)}


def summary(latencies: list[float], errors: int, seconds: float) -> dict:
    """Returns rate, errors and percentiles."""
    ordered = sorted(latencies) or [0.0]

    def at(share: float) -> float:
        return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1e3, 2)

    return {
        "qps": round(len(latencies) / seconds, 1),
        "errors": errors,
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
    }


async def main() -> None:
    """Asks and prints."""
    protocol, address, file, connections, seconds, rate, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    messages = read_messages(Path(file))
    connect = rpc if protocol == "grpc" else http
    asks = [await connect(address) for _ in range(int(connections))]
    begun = time.process_time()
    if float(rate):
        told = await opened(asks, messages, float(seconds), float(rate))
    else:
        told = await closed(asks, messages, float(seconds))
    told["cpu_s"] = round(time.process_time() - begun, 2)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    uvloop.run(main())
