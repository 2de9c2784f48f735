"""EASE of RecTools, on the items with most users: it inverts items x items.

RecTools keeps that matrix dense; of all 91,681 items of the demo it would take 34 GB,
and a day to invert. The cut-off is the one of `tfrs-app evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from rectools.models import EASEModel

from benchmarks.peers.models.rectools_models import RecToolsModel, pairs_of
from benchmarks.peers.rival import THREADS, Data, Setting

PACKAGES = ("rectools",)
MOST_ITEMS = 10_000
SETTINGS = tuple(
    {"regularization": penalty, "weight": weight, "items": MOST_ITEMS}
    for penalty, weight in (
        (500.0, "binary"),
        (100.0, "binary"),
        (300.0, "log"),
        (1000.0, "log"),
        (200.0, "binary"),
        (1000.0, "binary"),
    )
)


def fit(data: Data, setting: Setting) -> Iterator[RecToolsModel]:
    """Yields the model."""
    users_an_item = np.diff(data.counts.tocsc().indptr)
    kept = np.zeros(data.items, np.float32)
    kept[np.argsort(-users_an_item, kind="stable")[: setting["items"]]] = 1
    matrix = data.weighted(setting["weight"]) @ sp.diags(kept)
    matrix.eliminate_zeros()
    dataset = pairs_of(matrix.astype(np.float32))
    model = EASEModel(
        regularization=setting["regularization"], recommend_n_threads=THREADS
    )
    yield RecToolsModel(model.fit(dataset), dataset)
