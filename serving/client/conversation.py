"""Calls to a model server: the model's spec, deadlines and retries."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from serving.client.dialect import Dialect
from serving.client.errors import (
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    Unavailable,
    WrongAnswer,
)
from serving.client.retries import Retries, RetryBudget
from serving.client.spec import (
    Signature,
    VersionStatus,
    checked_inputs,
    checked_outputs,
)
from serving.client.steps import Attempt, Pause, Reply, Request, Steps
from serving.tensor_codec import Array

_BYTES_SUFFIX = "_bytes"

T = TypeVar("T")


@dataclass(frozen=True)
class Exchange:
    """Holds what a signature was asked and what it answered, as arrays by name.

    Attributes:
        signature: its name.
        inputs: as sent; strings are `bytes`.
        outputs: as received; strings are `str`.
        elapsed_s: from the first attempt to the answer, retries included.
    """

    signature: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    elapsed_s: float


class Deadline:
    """Ends a call, whatever it consists of."""

    def __init__(self, timeout_s: float, clock: Callable[[], float]) -> None:
        """Takes the time from now on, and a clock in seconds that never jumps."""
        if not timeout_s > 0:
            raise InvalidRequest(f"timeout_s {timeout_s} must be above 0")
        self._timeout_s, self._clock = timeout_s, clock
        self._ends_at = clock() + timeout_s

    def left_s(self) -> float:
        """Returns the time left.

        Raises:
            DeadlineExceeded: there is none.
        """
        left_s = self._ends_at - self._clock()
        if left_s <= 0:
            raise DeadlineExceeded(f"no answer within {self._timeout_s:.3g} s")
        return left_s

    def allows(self, pause_s: float) -> bool:
        """Tells whether anything could be done after a pause."""
        return self._clock() + pause_s < self._ends_at


class Counts:
    """Counts what happened; threads may share it."""

    def __init__(self) -> None:
        """Starts with nothing counted."""
        self._counter: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, name: str) -> None:
        """Counts one more."""
        with self._lock:
            self._counter[name] += 1

    def snapshot(self) -> dict[str, int]:
        """Returns the counts so far."""
        with self._lock:
            return dict(self._counter)


class Conversation:
    """Asks one model; every method is a generator of steps, see `steps.py`."""

    def __init__(
        self,
        dialect: Dialect,
        *,
        timeout_s: float,
        retries: Retries,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        watch: Callable[[Exchange], None] | None = None,
    ) -> None:
        """Takes how to speak, and what a call may cost.

        Args:
            dialect: REST or gRPC.
            timeout_s: for each call, unless it names its own.
            retries: of failures that a retry can mend.
            clock: seconds that never go back.
            draw: from [0, 1), spreads the retries.
            watch: is told of every answer of a signature; None: nobody is.
        """
        self._dialect = dialect
        self._timeout_s = timeout_s
        self._retries = retries
        self._budget = RetryBudget(retries.budget)
        self._clock, self._draw, self._watch = clock, draw, watch
        self._signatures: dict[str, Signature] | None = None
        self.counts = Counts()

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        *,
        timeout_s: float | None = None,
    ) -> Steps[dict[str, Array]]:
        """Returns the outputs of a signature by name.

        Args:
            signature: name, for instance `serving_default`.
            inputs: arrays or nested lists; inputs with a default may be left out.
            timeout_s: for this call, retries included.

        Returns:
            Arrays. Strings are object arrays of `str`, of `bytes` where the output's
            name ends in `_bytes`.

        Raises:
            ClientError: a subclass says why.
        """
        deadline = self._deadline(timeout_s)
        return (yield from self._ask(signature, inputs, deadline, dict))

    def signatures(self) -> Steps[dict[str, Signature]]:
        """Returns the model's signatures by name; asked once, then remembered.

        Raises:
            ClientError: a subclass says why.
        """
        return (yield from self._spec(self._deadline(None)))

    def status(self) -> Steps[list[VersionStatus]]:
        """Returns the state of the chosen version, or of all, newest first.

        Raises:
            ClientError: a subclass says why.
        """
        request = self._dialect.status_request()
        deadline = self._deadline(None)
        return (yield from self._call(request, self._dialect.read_status, deadline))

    def _deadline(self, timeout_s: float | None) -> Deadline:
        return Deadline(
            self._timeout_s if timeout_s is None else timeout_s, self._clock
        )

    def _ask(
        self,
        name: str,
        inputs: Mapping[str, Any],
        deadline: Deadline,
        understand: Callable[[dict[str, Array]], T],
    ) -> Steps[T]:
        """Returns what the caller makes of a signature's outputs.

        Args:
            name: of the signature.
            inputs: arrays or nested lists.
            deadline: of the call.
            understand: raises WrongAnswer for outputs that can't be true.
        """
        spec, arrays = yield from self._checked(name, inputs, deadline)

        started_s = self._clock()

        def read(reply: Reply) -> T:
            outputs = outputs_of(self._dialect, spec, reply)
            if self._watch is not None:
                elapsed_s = self._clock() - started_s
                self._watch(Exchange(name, arrays, outputs, elapsed_s))
            return understand(outputs)

        request = self._dialect.predict_request(name, arrays)
        try:
            return (yield from self._call(request, read, deadline))
        except (InvalidRequest, WrongAnswer):
            self._signatures = None  # the server may have swapped the model since
            raise

    def _checked(
        self, name: str, inputs: Mapping[str, Any], deadline: Deadline
    ) -> Steps[tuple[Signature, dict[str, Array]]]:
        """Returns a signature and the inputs as it declares them."""
        known = self._signatures
        try:
            if known is not None:
                return known[name], checked_inputs(name, known[name], inputs)
        except (KeyError, InvalidRequest):
            self._signatures = None  # a version published since may take them
        spec = yield from self._spec(deadline)
        if name not in spec:
            raise InvalidRequest(
                f"the model has no signature {name!r}; it has {', '.join(sorted(spec))}"
            )
        return spec[name], checked_inputs(name, spec[name], inputs)

    def _spec(self, deadline: Deadline) -> Steps[dict[str, Signature]]:
        known = self._signatures
        if known is None:
            request = self._dialect.metadata_request()
            known = yield from self._call(
                request, self._dialect.read_signatures, deadline
            )
            self._signatures = known
        return known

    def _call(
        self, request: Request, read: Callable[[Reply], T], deadline: Deadline
    ) -> Steps[T]:
        """Returns what a reply says, after retries where they can help."""
        self.counts.add("requests")
        self._budget.earn()
        failures = 0
        while True:
            try:
                reply = yield Attempt(request, deadline.left_s())
                if reply is None:
                    raise TypeError("an attempt was answered without a reply")
                return read(reply)
            except Unavailable as error:
                failures += 1
                pause_s = self._pause_s(failures, deadline)
                if pause_s is None:
                    self._count(error)
                    raise
            except ClientError as error:
                self._count(error)
                raise
            self.counts.add("retries")
            yield Pause(pause_s)

    def _pause_s(self, failures: int, deadline: Deadline) -> float | None:
        """Returns how long to wait for the next attempt; None: there is none."""
        if failures >= self._retries.attempts:
            return None
        pause_s = self._retries.pause_s(failures, self._draw)
        return pause_s if deadline.allows(pause_s) and self._budget.spend() else None

    def _count(self, error: ClientError) -> None:
        self.counts.add(type(error).__name__)
        if isinstance(error, WrongAnswer):
            self.counts.add("rejected")


def outputs_of(dialect: Dialect, spec: Signature, reply: Reply) -> dict[str, Array]:
    """Returns what a signature declares, as a reply holds it; strings are `str`.

    Raises:
        ClientError: the reply tells an error, or is not what was declared.
    """
    outputs = checked_outputs(spec, dialect.read_outputs(reply, spec))
    return {name: _texts(name, array) for name, array in outputs.items()}


def _texts(name: str, array: Array) -> Array:
    if array.dtype != object or name.endswith(_BYTES_SUFFIX):
        return array
    texts = np.empty(array.size, dtype=object)
    try:
        texts[:] = [value.decode() for value in array.ravel()]
    except UnicodeDecodeError as error:
        raise WrongAnswer(
            f"output {name!r} is not UTF-8; an output of bytes needs a name that ends "
            f"in {_BYTES_SUFFIX!r}"
        ) from error
    return texts.reshape(array.shape)
