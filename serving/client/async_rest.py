"""Asks a model server over REST, in asyncio."""

from __future__ import annotations

from serving.client.async_recommender import AsyncRecommender
from serving.client.async_rest_transport import AsyncHttpTransport
from serving.client.dialect import Target
from serving.client.recommender import Options
from serving.client.rest_dialect import RestDialect


class AsyncRestRecommender(AsyncRecommender):
    """Speaks TF Serving's REST API, in asyncio."""

    def __init__(
        self, url: str, target: Target, options: Options | None = None
    ) -> None:
        """Takes the server's `http://host:port`; connects at the first call."""
        chosen = options or Options()
        super().__init__(
            chosen.questions(RestDialect(url, target)),
            AsyncHttpTransport(url, chosen.access),
        )
