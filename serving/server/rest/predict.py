"""`:predict` on an event loop: reads, waits for the model, writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import ParamSpec, TypeVar

import tensorflow as tf
from starlette.concurrency import run_in_threadpool

from serving.server.errors import invalid
from serving.server.models.registry import ModelRegistry
from serving.server.models.signature import Signature
from serving.server.operations.observer import Call
from serving.server.rest.landing import Landing
from serving.server.rest.path import Target
from serving.server.rest.predict_body import encode_answer, parse_body, to_arrays

P = ParamSpec("P")
T = TypeVar("T")

# Below these, reading or writing takes less time than its way to a thread and back.
_SMALL_BODY_BYTES = 32 << 10
_SMALL_ANSWER_ELEMENTS = 4096


class Predictor:
    """Answers `:predict` bodies; must be used on one event loop.

    Small bodies and answers are read and written on the loop, others on threads, so
    that nobody waits behind them.
    """

    def __init__(
        self, registry: ModelRegistry, timeout_s: float, check_method: bool
    ) -> None:
        """Takes the models, how long an answer may take, and whether methods count."""
        self._registry = registry
        self._check_method = check_method
        self._timeout_s = timeout_s

    async def answer(self, target: Target, body: bytes, call: Call) -> bytes:
        """Returns the body that answers a body.

        Raises:
            ServingError: the request's fault or the model's, or DEADLINE_EXCEEDED.
        """
        deadline = call.deadline = time.monotonic() + self._timeout_s
        is_small = len(body) <= _SMALL_BODY_BYTES
        request = await _done(is_small, parse_body, body)
        lease = self._registry.lease(target.model, target.version, target.label)
        with lease as servable:
            call.version = servable.version
            call.signature = (
                request.signature_name
                or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
            )
            signature = _signature(servable.signatures, call.signature)
            signature.check_method(self._check_method)
            call.inputs = await _done(is_small, to_arrays, request, signature)
            form = request.format
            del request  # its thousands of objects, while they are still in the cache
            with call.timed_run():
                future = servable.submit(call.signature, call.inputs, deadline)
                outputs = await self._landing.result(future, deadline)
        call.outputs = outputs
        elements = sum(array.size for array in outputs.values())
        is_small = elements <= _SMALL_ANSWER_ELEMENTS
        return await _done(is_small, encode_answer, outputs, form)

    @cached_property
    def _landing(self) -> Landing:
        return Landing(asyncio.get_running_loop())


def _signature(signatures: Mapping[str, Signature], name: str) -> Signature:
    if name in signatures:
        return signatures[name]
    # gRPC has another code and text for it.
    raise invalid(f'Serving signature name: "{name}" not found in signature def')


async def _done(
    is_small: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    if is_small:
        return work(*args, **kwargs)
    return await run_in_threadpool(work, *args, **kwargs)
