"""What to do next with a model's versions, so that it stays available."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Says: load this version."""

    version: int


@dataclass(frozen=True)
class Unload:
    """Says: stop serving this version."""

    version: int


def next_action(aspired: Set[int], ready: Collection[int]) -> Load | Unload | None:
    """Returns the next step towards serving exactly the aspired versions.

    A version that is no longer aspired goes only when an aspired one is ready, when
    none is aspired, or when another unaspired one still serves: TF Serving's
    availability-preserving policy. New versions come highest first.

    Args:
        aspired: versions that should be served and are not known to be broken.
        ready: versions that are served.
    """
    unaspired = sorted(set(ready) - aspired)
    if unaspired and (not aspired or aspired & set(ready) or len(unaspired) > 1):
        return Unload(unaspired[0])
    new = aspired - set(ready)
    return Load(max(new)) if new else None
