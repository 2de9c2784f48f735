"""Bayesian personalised ranking of the package `implicit`."""

from __future__ import annotations

from collections.abc import Iterator

from implicit.cpu.bpr import BayesianPersonalizedRanking

from benchmarks.peers.models.implicit_models import ImplicitModel
from benchmarks.peers.rival import SEED, THREADS, Data, Setting

PACKAGES = ("implicit",)
SETTINGS = tuple(
    {
        "factors": factors,
        "learning_rate": rate,
        "regularization": penalty,
        "iterations": iterations,
    }
    for factors, rate, penalty, iterations in (
        (100, 0.01, 0.01, 100),
        (32, 0.05, 0.01, 100),
        (32, 0.01, 0.01, 300),
        (32, 0.1, 0.05, 100),
        (64, 0.05, 0.05, 200),
        (16, 0.05, 0.01, 200),
    )
)


def fit(data: Data, setting: Setting) -> Iterator[ImplicitModel]:
    """Yields the model after its iterations."""
    matrix = data.counts
    model = BayesianPersonalizedRanking(
        **setting, num_threads=THREADS, random_state=SEED
    )
    model.fit(matrix, show_progress=False)
    yield ImplicitModel(model, matrix)
