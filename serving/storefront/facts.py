"""What the page can be told without the model server, and how that server is."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving.client import ClientError
from serving.storefront.answers import Json, refusal
from serving.storefront.bodies import Choice
from serving.storefront.catalogue import Catalogue, Category, Column, Example
from serving.storefront.models import Models, abilities

FOUND_ITEMS = 12
FOUND_VALUES = 40
FOUND_SHOPPERS = 30
_LONGEST_WORDS = 200


class Facts:
    """Answers what the catalogue knows."""

    def __init__(self, catalogue: Catalogue, models: Models) -> None:
        """Takes what items are, and whose state is told."""
        self._catalogue, self._models = catalogue, models

    async def shop(self, _: Request) -> Response:
        """Tells what stays the same while the page is open."""
        catalogue = self._catalogue
        return Json(
            {
                "shop": catalogue.shop,
                "items": sum(catalogue.listed),
                "event_types": catalogue.event_types,
                "facets": [_facet(column) for column in catalogue.columns],
                "profile": [
                    {"name": field.name, "values": field.values}
                    for field in catalogue.profile
                ],
                "examples": len(catalogue.examples),
                "moment": catalogue.moment,
            }
        )

    async def state(self, request: Request) -> Response:
        """Tells which versions each server has, and what the model can be asked."""
        seen = [await self._server(name) for name in self._models.addresses]
        return Json({"servers": seen, "compared": self._models.compared})

    async def items(self, request: Request) -> Response:
        """Finds items by the beginnings of words; or one by its id."""
        words = request.query_params.get("words", "")[:_LONGEST_WORDS]
        catalogue = self._catalogue
        rows = catalogue.words.find(words, FOUND_ITEMS)
        return Json(
            {"items": [catalogue.item(catalogue.item_ids[row]) for row in rows]}
        )

    async def values(self, request: Request) -> Response:
        """Finds values of a column of strings."""
        name = request.path_params["name"]
        words = request.query_params.get("words", "")[:_LONGEST_WORDS]
        column = self._catalogue.column_of.get(name)
        if not isinstance(column, Category):
            return refusal(404, "NotFound", f"{name!r} is no column of categories")
        found = column.find(words, FOUND_VALUES)
        return Json(
            {
                "values": [{"value": value, "items": items} for value, items in found],
                "of": len(column.counts),
            }
        )

    async def shoppers(self, request: Request) -> Response:
        """Finds example shoppers by a part of their ids."""
        part = request.query_params.get("words", "").strip().casefold()
        found = [
            example
            for example in self._catalogue.examples
            if part in example.shopper_id.casefold()
        ]
        shown = [
            {
                "shopper_id": example.shopper_id,
                "events": len(example.events),
                "features": _told(example),
            }
            for example in found[:FOUND_SHOPPERS]
        ]
        return Json({"shoppers": shown, "of": len(found)})

    async def shopper(self, request: Request) -> Response:
        """Tells what one example shopper did."""
        shopper_id = request.path_params["shopper_id"]
        example = self._catalogue.example_of.get(shopper_id)
        if example is None:
            return refusal(404, "NotFound", f"{shopper_id!r} is no example shopper")
        return Json(
            {
                "shopper_id": shopper_id,
                "moment": example.moment,
                "features": example.features,
                "events": [
                    {
                        **self._catalogue.item(event.item_id),
                        "event_type": event.event_type,
                        "timestamp": event.timestamp,
                    }
                    for event in example.events
                ],
            }
        )

    async def _server(self, name: str) -> dict[str, Any]:
        client = await self._models.client(Choice(server=name))
        about = {"name": name, "address": self._models.addresses[name]}
        try:
            versions = await client.status()
            signatures = await client.signatures()
        except ClientError as error:
            return about | {
                "online": False,
                "error": {"kind": type(error).__name__, "says": str(error)},
            }
        served = [told.version for told in versions if told.state == "AVAILABLE"]
        return about | {"online": True, "versions": served, **abilities(signatures)}


def _facet(column: Column) -> dict[str, Any]:
    if isinstance(column, Category):
        count = len(column.counts)
        return {"name": column.name, "kind": "category", "count": count}
    return {"name": column.name, "kind": "number", "range": column.range}


def _told(example: Example) -> dict[str, Any]:
    return {name: value for name, value in example.features.items() if value != ""}
