"""Asks a model server over REST."""

from __future__ import annotations

from serving.client.dialect import Target
from serving.client.recommender import Options, Recommender
from serving.client.rest_dialect import RestDialect
from serving.client.rest_transport import HttpTransport


class RestRecommender(Recommender):
    """Speaks TF Serving's REST API."""

    def __init__(
        self, url: str, target: Target, options: Options | None = None
    ) -> None:
        """Takes the server's `http://host:port`; connects at the first call."""
        chosen = options or Options()
        super().__init__(
            chosen.questions(RestDialect(url, target)),
            HttpTransport(url, chosen.access),
        )
