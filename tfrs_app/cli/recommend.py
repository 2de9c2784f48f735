"""Asks a running server for recommendations."""

from __future__ import annotations

from dataclasses import replace

from serving.client import ItemList
from tfrs_app.cli.request import Request


def recommend(
    request: Request, *, new_only: bool = False, diversity: float = 0.0
) -> ItemList:
    """Sends one request, prints the answer, and returns it.

    It is for the model's main signature: `recommend`, or `retrieve` without a ranker.

    Args:
        request: whom to ask, and for whom.
        new_only: whether items of the history are left out.
        diversity: from 0, by score, to 1; for models with a ranker.

    Raises:
        ConfigError: the request makes no sense.
        ServerError: the server can't be reached or refuses the request.
    """
    shopper, filters = request.shopper, request.filters
    if new_only:
        shopper = replace(shopper, exclude=shopper.history)
    with request.client() as client:
        (answer,) = client.recommend_many(
            [shopper], k=request.k, filters=filters, diversity=diversity
        )
    request.show_history()
    request.show_list(answer, f"recommended by {request.server}")
    return answer
