"""How versions come and go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lifecycle:
    """Says how versions come and go.

    Attributes:
        poll_s: seconds between looks at the base paths; 0 looks once, a negative
            number never.
        max_retries: further attempts at a version that could not be loaded.
        retry_s: seconds between them; a version whose files change is tried at once.
        keep_last: a base path without versions leaves the served ones in place.
        labels_may_wait: new labels may name versions that are not available yet.
        grace_s: seconds that calls in progress get when the server ends.
    """

    poll_s: float = 1.0
    max_retries: int = 5
    retry_s: float = 60.0
    keep_last: bool = True
    labels_may_wait: bool = False
    grace_s: float = 15.0
