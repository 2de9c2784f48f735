"""The questions that the model server answers, as the page asks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.client import Explanation, Item, ModelNotFound
from serving.client.async_recommender import AsyncRecommender
from serving.storefront.bodies import (
    Choice,
    ForBasket,
    ForItem,
    ForReasons,
    ForVisitor,
    ForWords,
)
from serving.storefront.catalogue import Catalogue
from serving.storefront.models import Models
from serving.storefront.stages import stages


class Lists:
    """Asks a model and puts the items' texts beside what it says."""

    def __init__(self, catalogue: Catalogue, models: Models) -> None:
        """Takes what items are, and whom to ask."""
        self._catalogue, self._models = catalogue, models

    async def recommend(self, asked: ForVisitor) -> dict[str, Any]:
        """Returns what somebody may want next."""
        client = await self._client(asked.model)
        shopper = asked.visitor.shopper(new_only=asked.new_only)
        (found,) = await client.recommend_many(
            [shopper], k=asked.k, filters=asked.filters, diversity=asked.diversity
        )
        return self._list(found.items)

    async def similar(self, asked: ForItem) -> dict[str, Any]:
        """Returns what is like an item."""
        client = await self._client(asked.model)
        found = await client.similar_items(
            asked.item_id, k=asked.k, filters=asked.filters
        )
        return self._list(found.items)

    async def basket(self, asked: ForBasket) -> dict[str, Any]:
        """Returns what goes with items; scores are lifts."""
        client = await self._client(asked.model)
        found = await client.complete_basket(
            asked.item_ids, k=asked.k, filters=asked.filters
        )
        return self._list(found.items)

    async def search(self, asked: ForWords) -> dict[str, Any]:
        """Returns what words stand for."""
        client = await self._client(asked.model)
        found = await client.search(
            asked.text,
            asked.visitor.shopper(new_only=asked.new_only),
            k=asked.k,
            filters=asked.filters,
            personal=asked.personal,
        )
        return self._list(found.items)

    async def explain(self, asked: ForReasons) -> dict[str, Any]:
        """Returns what becomes of items, and why."""
        client = await self._client(asked.model)
        told = await client.explain(
            asked.item_ids,
            asked.visitor.shopper(new_only=asked.new_only),
            k=asked.k,
            filters=asked.filters,
        )
        return {"items": [self._explained(explanation) for explanation in told]}

    async def stages(self, asked: ForVisitor) -> dict[str, Any]:
        """Returns how long each stage takes, asked alone."""
        client = await self._client(asked.model)
        return {"stages": await stages(client, asked)}

    async def _client(self, choice: Choice) -> AsyncRecommender:
        try:
            return await self._models.client(choice)
        except KeyError as error:
            raise ModelNotFound(
                "there is no second server; start the page with --compare"
            ) from error

    def _list(self, items: Sequence[Item]) -> dict[str, Any]:
        return {"items": [self._listed(item) for item in items]}

    def _listed(self, item: Item) -> dict[str, Any]:
        reason = item.reason_item_id
        return self._catalogue.item(item.item_id) | {
            "score": item.score,
            "probabilities": item.probabilities,
            "source": item.source,
            "reason": self._catalogue.item(reason) if reason else None,
            "relevance": item.relevance,
        }

    def _explained(self, told: Explanation) -> dict[str, Any]:
        effects = sorted(told.effects.items(), key=lambda pair: -abs(pair[1]))
        return self._catalogue.item(told.item_id) | {
            "fate": told.fate,
            "place": told.place,
            "rank": told.rank,
            "retrieval_rank": told.retrieval_rank,
            "sources": told.sources,
            "score": told.score,
            "probabilities": told.probabilities,
            "effects": [
                {**self._catalogue.item(item_id), "effect": effect}
                for item_id, effect in effects
            ],
        }
