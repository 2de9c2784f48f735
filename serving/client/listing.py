"""Lists of items: asked for, judged, and replaced where a fallback is wanted."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from serving.client.answers import ItemList, read_lists
from serving.client.conversation import Conversation, Deadline
from serving.client.errors import ClientError, InvalidRequest
from serving.client.fallback import (
    POPULAR,
    REMEMBERED,
    Asked,
    Fallback,
    FallbackList,
)
from serving.client.shopper import Shopper, exclude_inputs, query_inputs
from serving.client.steps import Steps
from serving.tensor_codec import Array

RECOMMEND = "serving_default"
"""`recommend`, or `retrieve` of a model without a ranker."""

_FILTERS = ("allow_", "block_", "min_", "max_")


class Listing(Conversation):
    """Asks signatures that list items; believes only what can be true."""

    def __init__(
        self,
        *arguments: Any,
        fallback: Fallback | None = None,
        catalogue: Container[str] | None = None,
        **options: Any,
    ) -> None:
        """Takes what a `Conversation` takes, and how to judge and replace answers.

        Args:
            *arguments: of `Conversation`.
            fallback: answers `recommend` when the model does not; None: nothing does.
            catalogue: ids that may be listed; None: any.
            **options: of `Conversation`.

        Raises:
            InvalidRequest: the fallback is a string other than `popular`.
        """
        super().__init__(*arguments, **options)
        if isinstance(fallback, str) and fallback != POPULAR:
            raise InvalidRequest(
                f"fallback {fallback!r} must be a list of item ids, a function, or "
                f"{POPULAR!r}"
            )
        self._fallback = None if fallback is None else FallbackList(fallback)
        self._catalogue = catalogue

    def _list(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        shopper: Shopper,
        k: int,
        timeout_s: float | None,
    ) -> Steps[ItemList]:
        deadline = self._deadline(timeout_s)
        asked = {**inputs, **exclude_inputs([shopper])}
        lists = yield from self._lists(signature, asked, [shopper], k, deadline)
        return lists[0]

    def _lists(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        shoppers: Sequence[Shopper],
        k: int,
        deadline: Deadline,
    ) -> Steps[list[ItemList]]:
        asked = {**inputs, "k": length_input(k)}

        def understand(outputs: dict[str, Array]) -> list[ItemList]:
            return read_lists(
                outputs,
                rows=len(shoppers),
                k=k,
                excluded=[frozenset(shopper.exclude) for shopper in shoppers],
                catalogue=self._catalogue,
            )

        return (yield from self._ask(signature, asked, deadline, understand))

    def _remember_popular(self, deadline: Deadline) -> Steps[None]:
        """Asks for the popular items, where they are wanted and not known of late."""
        fallback = self._fallback
        if fallback is None or not fallback.wants_popular(self._clock()):
            return
        inputs = query_inputs([Shopper()])
        (popular,) = yield from self._lists(
            RECOMMEND, inputs, [Shopper()], REMEMBERED, deadline
        )
        fallback.remember(popular.item_ids, self._clock())

    def _fall_back(self, asked: Sequence[Asked], error: ClientError) -> list[ItemList]:
        """Returns the fallback's lists, or raises the error if one has none."""
        if self._fallback is None:
            raise error
        lists = [self._fallback.answer(request) for request in asked]
        found = [answer for answer in lists if answer is not None]
        if len(found) < len(asked):
            raise error
        self.counts.add("degraded")
        return found


def length_input(k: int) -> Any:
    """Returns the input that says how long a list is.

    Raises:
        InvalidRequest: it is below 1.
    """
    if k < 1:
        raise InvalidRequest(f"k {k} must be at least 1")
    return np.array(k, np.int32)


def filter_inputs(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns filters as inputs of one row, which serves the whole batch.

    Raises:
        InvalidRequest: a name is none of a filter's.
    """
    inputs: dict[str, Any] = {}
    for name, value in filters.items():
        if not name.startswith(_FILTERS):
            raise InvalidRequest(
                f"filter {name!r} must be allow_NAME, block_NAME, min_NAME or max_NAME"
            )
        if name.startswith(("allow_", "block_")):
            inputs[name] = [[value] if isinstance(value, str) else list(value)]
        else:
            inputs[name] = [float(value)]
    return inputs
