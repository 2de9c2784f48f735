"""What a leak test found for one feature."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """Holds a test's figure for a feature; beyond its limit it is suspicious.

    Args:
        feature: name.
        test: which test it was.
        value: the figure.
        limit: above which a feature that knows only the past hardly comes.
        evidence: a sentence that tells what the figure means.
    """

    feature: str
    test: str
    value: float
    limit: float
    evidence: str

    @property
    def suspicious(self) -> bool:
        """Tells whether the figure is beyond its limit."""
        return self.value > self.limit
