"""Whether requests should be sent here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from serving.server.models.registry import ModelRegistry


class Health:
    """Tells readiness: every model has a version that answers, and no end is near."""

    def __init__(
        self, registry: ModelRegistry, models: Callable[[], Collection[str]]
    ) -> None:
        """Takes the versions, and what names the models that should be there."""
        self._registry = registry
        self._models = models
        self._draining = threading.Event()

    def drain(self) -> None:
        """Says that the server is about to end."""
        self._draining.set()

    def trouble(self) -> str:
        """Returns why no request should come, empty if they may."""
        if self._draining.is_set():
            return "the server is ending"
        missing = [name for name in self._models() if not self._registry.ready(name)]
        if missing:
            return f"no version is available of {', '.join(sorted(missing))}"
        return ""
