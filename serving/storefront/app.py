"""The page and its API as one application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from serving.storefront.answers import answering
from serving.storefront.bodies import (
    ForBasket,
    ForItem,
    ForReasons,
    ForVisitor,
    ForWords,
)
from serving.storefront.catalogue import Catalogue
from serving.storefront.facts import Facts
from serving.storefront.guard import Guard
from serving.storefront.lists import Lists
from serving.storefront.models import Models

STATIC = Path(__file__).parent / "static"


def storefront(catalogue: Catalogue, models: Models) -> Starlette:
    """Returns the application; it closes the models' clients when it ends.

    Args:
        catalogue: what the page knows of the shop.
        models: what it asks.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await models.close()

    return Starlette(
        routes=[
            Route("/", _page),
            *_facts(Facts(catalogue, models)),
            *_lists(Lists(catalogue, models)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard)],
        lifespan=lifespan,
    )


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


def _facts(facts: Facts) -> list[Route]:
    return [
        Route("/api/shop", facts.shop),
        Route("/api/state", facts.state),
        Route("/api/items", facts.items),
        Route("/api/values/{name}", facts.values),
        Route("/api/shoppers", facts.shoppers),
        Route("/api/shoppers/{shopper_id}", facts.shopper),
    ]


def _lists(lists: Lists) -> list[Route]:
    endpoints = {
        "recommend": answering(ForVisitor, lists.recommend),
        "similar": answering(ForItem, lists.similar),
        "basket": answering(ForBasket, lists.basket),
        "search": answering(ForWords, lists.search),
        "explain": answering(ForReasons, lists.explain),
        "stages": answering(ForVisitor, lists.stages),
    }
    return [
        Route(f"/api/{name}", endpoint, methods=["POST"])
        for name, endpoint in endpoints.items()
    ]
