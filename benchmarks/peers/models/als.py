"""Alternating least squares of the package `implicit`."""

from __future__ import annotations

from collections.abc import Iterator

from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from benchmarks.peers.models.implicit_models import ImplicitModel
from benchmarks.peers.rival import SEED, THREADS, Data, Setting

PACKAGES = ("implicit",)
SETTINGS = tuple(
    {
        "factors": factors,
        "regularization": penalty,
        "alpha": alpha,
        "weight": weight,
    }
    for factors, penalty, alpha, weight in (
        (100, 0.01, 1.0, "count"),
        (64, 10.0, 1.0, "log"),
        (64, 10.0, 10.0, "log"),
        (64, 100.0, 10.0, "log"),
        (32, 10.0, 1.0, "log"),
        (128, 10.0, 1.0, "log"),
        (64, 10.0, 1.0, "count"),
        (64, 10.0, 1.0, "binary"),
        (64, 30.0, 1.0, "log"),
        (64, 30.0, 1.0, "count"),
        (128, 10.0, 1.0, "count"),
        (256, 30.0, 1.0, "count"),
    )
)


def fit(data: Data, setting: Setting) -> Iterator[ImplicitModel]:
    """Yields the model after its 15 iterations."""
    matrix = data.weighted(setting["weight"])
    with threadpool_limits(1, "blas"):  # as implicit's documentation asks
        model = AlternatingLeastSquares(
            factors=setting["factors"],
            regularization=setting["regularization"],
            alpha=setting["alpha"],
            iterations=15,
            num_threads=THREADS,
            random_state=SEED,
        )
        model.fit(matrix, show_progress=False)
    yield ImplicitModel(model, matrix)
