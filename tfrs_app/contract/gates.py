"""The `data.gates` section: limits that a dataset keeps or is not published."""

from __future__ import annotations

from tfrs_app.contract.features import ITEM_ID, FeatureSpec, Kind
from tfrs_app.contract.section import Count, Fraction, Positive, Section


class GatesConfig(Section):
    """Limits what a dataset may look like; an absent limit is none."""

    max_nulls: dict[str, Fraction] = {}
    """Feature -> share of its rows without a value."""
    max_oov: dict[str, Fraction] = {}
    """Categorical feature or `item_id` -> share of values outside the vocabulary: of
    the test span's events, or of the rows of items and users."""
    max_duplicates: Fraction | None = None
    """Share of the events' rows that equal another."""
    max_orphan_items: Fraction | None = None
    """Share of the catalogue that no event names."""
    min_events: Count | None = None
    max_drift: Positive | None = None
    """Population stability index of any feature against the dataset before."""

    def check_names(self, spec: FeatureSpec) -> None:
        """Checks that every feature that a gate names can be measured.

        Raises:
            ValueError: names the key and the features that are known there.
        """
        stored = [f for f in spec.features if f.kind is not Kind.TIMESTAMP]
        listed = [f.name for f in stored if f.kind is Kind.CATEGORICAL]
        _check("max_nulls", self.max_nulls, [f.name for f in stored])
        _check("max_oov", self.max_oov, [ITEM_ID, *listed])


def _check(key: str, named: dict[str, float], known: list[str]) -> None:
    for name in named:
        if name not in known:
            raise ValueError(
                f"data.gates.{key}: {name!r} is no feature that this gate knows; known "
                f"are {sorted(known)}"
            )
