"""What happened to a request, told to those who count or record requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import grpc

from serving.server.errors import ServingError
from serving.tensor_codec import Array

_LOG = logging.getLogger(__name__)


class Entrypoint(StrEnum):
    """Protocols, named as in TF Serving's metrics."""

    GRPC = "GRPC"
    REST = "REST"


def _no_header(name: str) -> str | None:
    """Stands for a request without any header."""
    return None


@dataclass
class Call:
    """Holds what is known of one request; filled in while it is answered.

    Attributes:
        api: `Predict`, `Classify`, `Regress`, `MultiInference`, `GetModelMetadata`, ...
        entrypoint: the protocol that it came by.
        model: empty until the request could be read.
        version: None until a version was found.
        signature: empty where none is asked for.
        inputs: a Predict's arrays by name, empty for other calls.
        outputs: a Predict's arrays by name, empty unless it was answered.
        deadline: `time.monotonic()` after which nobody waits for the answer, if any.
        code: how it ended.
        seconds: from its arrival to its answer.
        runtime_seconds: time in the model's run, None if it did not get there.
        header: returns the value of a request's header (REST) or metadata (gRPC) by its
            lower-case name, None if there is none.
    """

    api: str
    entrypoint: Entrypoint
    model: str = ""
    version: int | None = None
    signature: str = ""
    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)
    deadline: float | None = None
    code: grpc.StatusCode = grpc.StatusCode.OK
    seconds: float = 0.0
    runtime_seconds: float | None = None
    header: Callable[[str], str | None] = _no_header

    @contextmanager
    def timed_run(self) -> Iterator[None]:
        """Notes how long the block, the model's run, takes."""
        started = time.perf_counter()
        yield
        self.runtime_seconds = time.perf_counter() - started


Observer = Callable[[Call], None]


class Observers:
    """Tells every observer of every call, once it has ended."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        """Takes those who want to know; one that fails is logged, never the caller's.

        They run on the thread that answers, before the answer leaves: keep them short.
        """
        self._observers = tuple(observers)

    @contextmanager
    def call(self, api: str, entrypoint: Entrypoint) -> Iterator[Call]:
        """Yields a call to fill in; how the context ends says how the call ended."""
        call = Call(api, entrypoint)
        started = time.perf_counter()
        try:
            yield call
        except ServingError as error:
            call.code = error.code
            raise
        except Exception:
            call.code = grpc.StatusCode.INTERNAL
            raise
        finally:
            call.seconds = time.perf_counter() - started
            self._tell(call)

    def _tell(self, call: Call) -> None:
        for observer in self._observers:
            try:
                observer(call)
            except Exception:  # counting must not cost a client its answer
                _LOG.exception("an observer of requests failed")
