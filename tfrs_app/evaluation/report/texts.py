"""What an item is called on the page: its text, else its name, else its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tfrs_app.contract.features import ITEM_ID, FeatureSpec, Kind, Role

LONGEST = 90
"""Characters of a text that the page shows."""
NAME_LIKE = ("name", "title", "label", "description", "product")
"""Parts of a column's name that make its values fit to call an item by."""


def text_of(
    row: int, catalogue: Mapping[str, np.ndarray], features: Sequence[str]
) -> str:
    """Returns the first of an item's features that has a value, else its id.

    Args:
        row: of the catalogue.
        catalogue: feature -> bytes objects `[items]`.
        features: as `naming_features` returns them.
    """
    for name in (*features, ITEM_ID):
        text = shortened(catalogue[name][row].decode())
        if text:
            return text
    return f"item {row}"


def naming_features(spec: FeatureSpec) -> list[str]:
    """Returns the first text feature and then the name-like categorical features."""
    texts = [f.name for f in spec.of(Role.CANDIDATE, Kind.TEXT)][:1]
    return texts + [
        feature.name
        for feature in spec.of(Role.CANDIDATE, Kind.CATEGORICAL)
        if any(part in feature.name for part in NAME_LIKE)
    ]


def shortened(text: str) -> str:
    """Returns printable text on one line, cut where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
