"""hnswlib and faiss, set up for inner products as well as is known here.

faiss' own k-means for inner products ignores norms, and a query must then search a
third of the partitions to find enough. So partitions are trained and filled by
distance, as ScaNN's are, and chosen by the inner product. Hashed scores with exact
re-ordering (`IVFx,PQ64x4fs,RFlat`) took longer to the same recall than exact ones and
are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Search = Callable[[np.ndarray], np.ndarray]
"""Queries `[batch, dim]` to rows `[batch, K]`."""

K = 100
M = 16
EF_CONSTRUCTION = 200
EFS = (100, 150, 200, 300, 400, 600, 800, 1200, 1600, 2400, 3200)
SHARES = (
    0.01,
    0.015,
    0.02,
    0.025,
    0.03,
    0.035,
    0.04,
    0.05,
    0.06,
    0.08,
    0.1,
    0.13,
    0.16,
    0.2,
    0.4,
)
Settings = Sequence[tuple[str, Search]]


def hnswlib_settings(items: np.ndarray, threads: int) -> Settings:
    """Builds a graph and returns a search for each `ef`, the cheapest first."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=items.shape[1])
    index.init_index(len(items), ef_construction=EF_CONSTRUCTION, M=M)
    index.add_items(items)  # with all cores: that is not measured
    index.set_num_threads(threads)

    def with_ef(ef: int) -> Search:
        def search(queries: np.ndarray) -> np.ndarray:
            index.set_ef(ef)
            rows: np.ndarray = index.knn_query(queries, K)[0]
            return rows

        return search

    return [(f"ef {ef}", with_ef(ef)) for ef in EFS]


def faiss_settings(items: np.ndarray, threads: int, factor: int) -> Settings:
    """Builds partitions and returns a search for each share of them searched.

    Args:
        items: float32 `[items, dim]`.
        threads: that it may use.
        factor: partitions by the root of the number of items.
    """
    import faiss

    faiss.omp_set_num_threads(threads)
    partitions, dim = factor * round(math.sqrt(len(items))), items.shape[1]
    training = faiss.Kmeans(dim, partitions, niter=12)
    training.train(items)
    by_distance, by_product = faiss.IndexFlatL2(dim), faiss.IndexFlatIP(dim)
    for centres in (by_distance, by_product):
        centres.add(training.centroids)
    index = faiss.IndexIVFFlat(by_distance, dim, partitions, faiss.METRIC_INNER_PRODUCT)
    index.add(items)
    index.quantizer = by_product
    by_product.this.disown()  # the line above keeps no reference to it

    def with_probes(probes: int) -> Search:
        def search(queries: np.ndarray) -> np.ndarray:
            index.nprobe = probes
            rows: np.ndarray = index.search(queries, K)[1]
            return rows

        return search

    probes = [max(1, round(share * partitions)) for share in SHARES]
    return [(f"{n} of {partitions} lists", with_probes(n)) for n in probes]
