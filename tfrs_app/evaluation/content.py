"""Items as TF-IDF vectors of their texts and categories."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from tfrs_app.contract.features import FeatureSpec, Kind, Role

LONGEST_VOCABULARY = 50_000


def content_of(
    spec: FeatureSpec, catalogue: Mapping[str, np.ndarray]
) -> sp.csr_matrix | None:
    """Returns TF-IDF vectors, float32 `[items, terms]`, of length 1 or 0.

    The words of all texts count and, in a shop without texts, each category; None
    where the items have neither.
    """
    texts = [f.name for f in spec.of(Role.CANDIDATE, Kind.TEXT)]
    if texts:
        joined = [b" ".join(row).decode() for row in _rows(catalogue, texts)]
        vectorizer = TfidfVectorizer(
            sublinear_tf=True, dtype=np.float32, max_features=LONGEST_VOCABULARY
        )
    else:
        names = [f.name for f in spec.of(Role.CANDIDATE, Kind.CATEGORICAL)]
        joined = [_categories(names, row) for row in _rows(catalogue, names)]
        vectorizer = TfidfVectorizer(
            analyzer=str.splitlines, dtype=np.float32, max_features=LONGEST_VOCABULARY
        )
    try:
        vectors = vectorizer.fit_transform(joined)
    except ValueError:  # scikit-learn: "empty vocabulary"
        return None
    return normalize(vectors, copy=False)


def _rows(
    catalogue: Mapping[str, np.ndarray], names: list[str]
) -> list[tuple[bytes, ...]]:
    return list(zip(*(catalogue[name].tolist() for name in names), strict=True))


def _categories(names: list[str], row: tuple[bytes, ...]) -> str:
    """Returns a line `name=value` for each category that the item has."""
    known = zip(names, row, strict=True)
    return "\n".join(f"{name}={value.decode()}" for name, value in known if value)
