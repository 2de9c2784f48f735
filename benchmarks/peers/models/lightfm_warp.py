"""LightFM with the WARP loss, in the fork that RecTools maintains.

The original, lightfm 1.17, does not compile for Python 3.11; the fork's module has the
same name and interface.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from lightfm import LightFM

from benchmarks.peers.rival import SEED, THREADS, Data, Setting

PACKAGES = ("rectools-lightfm",)
SETTINGS = tuple(
    {
        "no_components": width,
        "learning_rate": rate,
        "item_features": features,
        "epochs": 10,
    }
    for width, rate, features in (
        (10, 0.05, False),
        (32, 0.05, False),
        (32, 0.05, True),
        (64, 0.02, False),
        (64, 0.05, True),
        (16, 0.02, True),
    )
)


@dataclass(frozen=True)
class LightFmModel:
    """Asks LightFM for the scores of the whole catalogue.

    Args:
        model: fitted.
        had: what each user had, `[users, items]`.
        item_features: `[items, features]`; None: an item is only itself.
    """

    model: LightFM
    had: sp.csr_matrix
    item_features: sp.csr_matrix | None

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, `[users, k]`."""
        catalogue = np.arange(self.had.shape[1], dtype=np.int32)
        lists = np.empty((len(users), k), np.int64)
        for row, user in enumerate(users):
            scores = self.model.predict(
                int(user),
                catalogue,
                item_features=self.item_features,
                num_threads=THREADS,
            )
            if new_only:
                scores[self.had[user].indices] = -np.inf
            best = np.argpartition(-scores, k)[:k]
            lists[row] = best[np.argsort(-scores[best], kind="stable")]
        return lists


def fit(data: Data, setting: Setting) -> Iterator[LightFmModel]:
    """Yields the model after each epoch."""
    had = data.weighted("binary")
    features = one_hot(data) if setting["item_features"] else None
    model = LightFM(
        loss="warp",
        no_components=setting["no_components"],
        learning_rate=setting["learning_rate"],
        random_state=SEED,
    )
    pairs = had.tocoo()
    for _ in range(setting["epochs"]):
        model.fit_partial(pairs, item_features=features, num_threads=THREADS)
        yield LightFmModel(model, had, features)


def one_hot(data: Data) -> sp.csr_matrix:
    """Returns each item's own column and those of its values, rows summing to 1."""
    blocks = [sp.identity(data.items, np.float32, format="csr")]
    rows = np.arange(data.items)
    for codes in data.features.values():
        ones = np.ones(data.items, np.float32)
        blocks.append(sp.csr_matrix((ones, (rows, codes))))
    stacked = sp.hstack(blocks, format="csr", dtype=np.float32)
    return (stacked / len(blocks)).tocsr()
