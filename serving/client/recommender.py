"""The client for threads: one interface, over REST or gRPC."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from serving.client.access import Access
from serving.client.conversation import Exchange
from serving.client.dialect import Dialect
from serving.client.errors import InvalidRequest
from serving.client.fallback import Fallback
from serving.client.questions import Questions
from serving.client.retries import Retries
from serving.client.steps import Steps, drive
from serving.client.transport import Transport

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """Says how a client behaves.

    Attributes:
        timeout_s: of each call, retries included, unless the call names its own.
        retries: of failures that a retry can mend.
        access: TLS and token.
        fallback: answers `recommend` when the model does not; None: nothing does.
        catalogue: ids that may be listed; None: any.
        watch: is told of every answer of a signature; None: nobody is.
    """

    timeout_s: float = 5.0
    retries: Retries = field(default_factory=Retries)
    access: Access = field(default_factory=Access)
    fallback: Fallback | None = None
    catalogue: Container[str] | None = None
    watch: Callable[[Exchange], None] | None = None

    def questions(self, dialect: Dialect) -> Questions:
        """Returns what asks a server that speaks so."""
        return Questions(
            dialect,
            timeout_s=self.timeout_s,
            retries=self.retries,
            fallback=self.fallback,
            catalogue=self.catalogue,
            watch=self.watch,
        )


def _by_thread(
    method: Callable[Concatenate[Questions, P], Steps[T]],
) -> Callable[Concatenate[Recommender, P], T]:
    """Returns a method that holds a conversation to its end."""

    @functools.wraps(method)
    def ask(client: Recommender, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._drive(method(client._questions, *args, **kwargs))

    return ask


class Client:
    """Holds what asks, and counts what happened."""

    def __init__(self, questions: Questions) -> None:
        """Takes what asks."""
        self._questions = questions
        self._closed = False

    def counts(self) -> dict[str, int]:
        """Returns how often things happened since the client was made.

        `requests`, `retries`, `rejected` (answers that can't be true), `degraded`
        (fallbacks), and one for each class of error.
        """
        return self._questions.counts.snapshot()

    def check_open(self) -> None:
        """Raises InvalidRequest once the client is closed."""
        if self._closed:
            raise InvalidRequest("this client is closed; make another")


class Recommender(Client):
    """Asks one model of a server; threads may share it.

    Use it as a context manager, or call `close`.
    """

    def __init__(
        self,
        questions: Questions,
        transport: Transport,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Takes what asks, what carries, and how to wait; see `connect`."""
        super().__init__(questions)
        self._transport, self._sleep = transport, sleep

    predict = _by_thread(Questions.predict)
    signatures = _by_thread(Questions.signatures)
    status = _by_thread(Questions.status)
    recommend = _by_thread(Questions.recommend)
    recommend_many = _by_thread(Questions.recommend_many)
    similar_items = _by_thread(Questions.similar_items)
    complete_basket = _by_thread(Questions.complete_basket)
    search = _by_thread(Questions.search)
    explain = _by_thread(Questions.explain)

    def close(self) -> None:
        """Closes the connections."""
        self._closed = True
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _drive(self, steps: Steps[T]) -> T:
        self.check_open()
        return drive(steps, self._transport.send, self._sleep)
