"""Item-kNN of the package `implicit`: cosine, TF-IDF or BM25 of the item columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from implicit.nearest_neighbours import (
    BM25Recommender,
    CosineRecommender,
    TFIDFRecommender,
)

from benchmarks.peers.models.implicit_models import ImplicitModel
from benchmarks.peers.rival import THREADS, Data, Setting

PACKAGES = ("implicit",)
KINDS: dict[str, Any] = {
    "cosine": CosineRecommender,
    "tfidf": TFIDFRecommender,
    "bm25": BM25Recommender,
}
SETTINGS = tuple(
    {"kind": kind, "neighbours": neighbours, "weight": weight}
    for kind, neighbours, weight in (
        ("cosine", 20, "binary"),
        ("tfidf", 20, "binary"),
        ("bm25", 20, "binary"),
        ("cosine", 100, "binary"),
        ("cosine", 20, "log"),
        ("cosine", 20, "count"),
        ("tfidf", 20, "count"),
        ("bm25", 20, "count"),
        ("cosine", 5, "count"),
        ("cosine", 100, "count"),
        ("cosine", 10, "binary"),
        ("tfidf", 100, "binary"),
    )
)


def fit(data: Data, setting: Setting) -> Iterator[ImplicitModel]:
    """Yields the model."""
    matrix = data.weighted(setting["weight"])
    model = KINDS[setting["kind"]](K=setting["neighbours"], num_threads=THREADS)
    model.fit(matrix, show_progress=False)
    yield ImplicitModel(model, matrix)
