"""What a shop asks its recommender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from serving.client.answers import Explanation, ItemList, read_explanations
from serving.client.errors import ClientError
from serving.client.fallback import Asked
from serving.client.listing import RECOMMEND, Listing, filter_inputs, length_input
from serving.client.shopper import Shopper, exclude_inputs, query_inputs
from serving.client.steps import Steps
from serving.tensor_codec import Array

SIMILAR_ITEMS = "similar_items"
COMPLETE_BASKET = "complete_basket"
SEARCH = "search"
EXPLAIN = "explain"

NO_FILTERS: Mapping[str, Any] = {}


class Questions(Listing):
    """Asks for lists of items in a shop's own words.

    Filters are the model's inputs `allow_NAME`, `block_NAME` (lists of strings) and
    `min_NAME`, `max_NAME` (numbers); they count for every shopper of a request.
    """

    def recommend(
        self,
        history: Sequence[str] = (),
        *,
        k: int = 10,
        event_types: Sequence[str] = (),
        timestamps: Sequence[int] = (),
        timestamp: int | None = None,
        features: Mapping[str, Any] = NO_FILTERS,
        exclude: Sequence[str] = (),
        new_only: bool = False,
        filters: Mapping[str, Any] = NO_FILTERS,
        diversity: float = 0.0,
        timeout_s: float | None = None,
    ) -> Steps[ItemList]:
        """Returns what one shopper may want next.

        Args:
            history: item ids, oldest first; empty for somebody new.
            k: length of the list.
            event_types: one for each of the history, or none.
            timestamps: seconds since the epoch of each, or none.
            timestamp: of the request; None: the server's clock.
            features: the model's query and context features by name.
            exclude: item ids that must not be listed.
            new_only: whether the history is excluded, too.
            filters: that every item has to pass.
            diversity: from 0, by score alone, to 1; of models with a ranker.
            timeout_s: for this call, retries included.

        Raises:
            ClientError: a subclass says why; with a fallback fewer do.
        """
        shopper = Shopper(
            history, event_types, timestamps, timestamp, features, exclude
        )
        if new_only:
            shopper = replace(shopper, exclude=(*exclude, *history))
        lists = yield from self.recommend_many(
            [shopper], k=k, filters=filters, diversity=diversity, timeout_s=timeout_s
        )
        return lists[0]

    def recommend_many(
        self,
        shoppers: Sequence[Shopper],
        *,
        k: int = 10,
        filters: Mapping[str, Any] = NO_FILTERS,
        diversity: float = 0.0,
        timeout_s: float | None = None,
    ) -> Steps[list[ItemList]]:
        """Returns a list for each shopper, by one request.

        Args:
            shoppers: whom to ask for.
            k: length of each list.
            filters: that every item has to pass.
            diversity: from 0, by score alone, to 1; of models with a ranker.
            timeout_s: for this call, retries included.

        Raises:
            ClientError: a subclass says why; with a fallback fewer do.
        """
        inputs = {
            **query_inputs(shoppers),
            **exclude_inputs(shoppers),
            **filter_inputs(filters),
        }
        if diversity:
            inputs["diversity"] = [diversity]
        deadline = self._deadline(timeout_s)
        try:
            yield from self._remember_popular(deadline)
            return (yield from self._lists(RECOMMEND, inputs, shoppers, k, deadline))
        except ClientError as error:
            return self._fall_back(
                [Asked(shopper, k, filters, error) for shopper in shoppers], error
            )

    def similar_items(
        self,
        item_id: str,
        *,
        k: int = 10,
        exclude: Sequence[str] = (),
        filters: Mapping[str, Any] = NO_FILTERS,
        timeout_s: float | None = None,
    ) -> Steps[ItemList]:
        """Returns the items most like one; an unknown item has none.

        Raises:
            ClientError: a subclass says why.
        """
        return (
            yield from self._list(
                SIMILAR_ITEMS,
                {"item_id": [item_id], **filter_inputs(filters)},
                Shopper(exclude=exclude),
                k,
                timeout_s,
            )
        )

    def complete_basket(
        self,
        basket: Sequence[str],
        *,
        k: int = 10,
        exclude: Sequence[str] = (),
        filters: Mapping[str, Any] = NO_FILTERS,
        timeout_s: float | None = None,
    ) -> Steps[ItemList]:
        """Returns what others have with a basket beyond chance; scores are lifts.

        Raises:
            ClientError: a subclass says why.
        """
        return (
            yield from self._list(
                COMPLETE_BASKET,
                {"basket_item_id": [list(basket)], **filter_inputs(filters)},
                Shopper(exclude=exclude),
                k,
                timeout_s,
            )
        )

    def search(
        self,
        text: str,
        shopper: Shopper | None = None,
        *,
        k: int = 10,
        filters: Mapping[str, Any] = NO_FILTERS,
        personal: float | None = None,
        timeout_s: float | None = None,
    ) -> Steps[ItemList]:
        """Returns the items that words stand for.

        Args:
            text: what is looked for.
            shopper: whose liking counts, too.
            k: length of the list.
            filters: that every item has to pass.
            personal: weight of the liking; None: the model's own.
            timeout_s: for this call, retries included.

        Raises:
            ClientError: a subclass says why.
        """
        asking = shopper or Shopper()
        inputs = {
            "query": [text],
            **query_inputs([asking]),
            **filter_inputs(filters),
        }
        if personal is not None:
            inputs["personal"] = [personal]
        return (yield from self._list(SEARCH, inputs, asking, k, timeout_s))

    def explain(
        self,
        item_ids: Sequence[str],
        shopper: Shopper | None = None,
        *,
        k: int = 10,
        filters: Mapping[str, Any] = NO_FILTERS,
        timeout_s: float | None = None,
    ) -> Steps[list[Explanation]]:
        """Returns why each item is, or is not, recommended to a shopper.

        Args:
            item_ids: what to explain.
            shopper: to whom it would be recommended.
            k: length of the list that they are, or are not, on.
            filters: of the request that is explained.
            timeout_s: for this call, retries included.

        Raises:
            ClientError: a subclass says why.
        """
        asking = shopper or Shopper()
        inputs = {
            "item_id": [list(item_ids)],
            **query_inputs([asking]),
            **exclude_inputs([asking]),
            **filter_inputs(filters),
            "k": length_input(k),
        }
        deadline = self._deadline(timeout_s)

        def understand(outputs: dict[str, Array]) -> list[Explanation]:
            return read_explanations(outputs, item_ids)

        return (yield from self._ask(EXPLAIN, inputs, deadline, understand))
