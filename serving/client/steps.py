"""What a conversation with a server consists of, apart from how bytes travel.

A conversation is a generator: it yields what is to be done next and is sent the reply.
It neither waits nor opens a socket, so one text serves threads, asyncio and tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from serving.client.errors import ClientError


@dataclass(frozen=True)
class Request:
    """Holds one message to a server.

    Attributes:
        path: of a URL, or the name of a gRPC method.
        body: None is an HTTP GET.
    """

    path: str
    body: bytes | None


@dataclass(frozen=True)
class Reply:
    """Holds what came back.

    Attributes:
        code: HTTP's status or gRPC's number.
        body: the message.
        detail: gRPC's words on a code other than OK.
    """

    code: int
    body: bytes
    detail: str = ""


@dataclass(frozen=True)
class Attempt:
    """Asks for a request to be sent."""

    request: Request
    timeout_s: float


@dataclass(frozen=True)
class Pause:
    """Asks for a while to pass."""

    seconds: float


T = TypeVar("T")
Steps: TypeAlias = Generator[Attempt | Pause, Reply | None, T]


async def drive_async(
    steps: Steps[T],
    send: Callable[[Request, float], Awaitable[Reply]],
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """Returns what a conversation comes to, held by an asyncio task.

    Raises:
        ClientError: as the conversation does.
    """
    reply, failure = None, None
    while True:
        try:
            step = steps.throw(failure) if failure else steps.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result
        reply, failure = None, None
        if isinstance(step, Pause):
            await sleep(step.seconds)
            continue
        try:
            reply = await send(step.request, step.timeout_s)
        except ClientError as error:
            failure = error


def drive(
    steps: Steps[T],
    send: Callable[[Request, float], Reply],
    sleep: Callable[[float], None],
) -> T:
    """Returns what a conversation comes to, held by the thread that calls.

    Raises:
        ClientError: as the conversation does.
    """

    async def send_now(request: Request, timeout_s: float) -> Reply:
        return send(request, timeout_s)

    async def sleep_now(seconds: float) -> None:
        sleep(seconds)

    held = drive_async(steps, send_now, sleep_now)
    try:
        held.send(None)  # nothing in it ever waits, so it runs to its end
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a conversation held by a thread has stopped half-way")
