"""Asks a running server for items that words stand for."""

from __future__ import annotations

from serving.client import ItemList
from tfrs_app.cli.request import Request
from tfrs_app.contract.errors import ConfigError


def search(request: Request, text: str, personal: float | None = None) -> ItemList:
    """Sends one request, prints the answer, and returns it.

    Args:
        request: whom to ask, and for whom.
        text: what is looked for.
        personal: how much the shopper's own liking counts; None: as the model says.

    Raises:
        ConfigError: the shop's towers read no texts, or the request makes no sense.
        ServerError: the server can't be reached or refuses the request.
    """
    if not request.stages.embeds_texts:
        raise ConfigError(
            "text: this section is absent, so there are no texts to be searched; add "
            "`text: {}`, train and export"
        )
    shopper, filters = request.shopper, request.filters
    with request.client() as client:
        answer = client.search(
            text, shopper, k=request.k, filters=filters, personal=personal
        )
    request.show_list(answer, f"found for {text!r} by {request.server}")
    return answer
