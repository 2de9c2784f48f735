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
    """Ranks by LightFM's biases and vectors, which its documentation gives for serving.

    Its own `predict` goes through user and item one by one: 30 ms a user here.

    Args:
        item_biases: float32 `[items]`.
        item_vectors: float32 `[items, dim]`.
        user_vectors: float32 `[users, dim]`.
        had: what each user had, `[users, items]`.
    """

    item_biases: np.ndarray
    item_vectors: np.ndarray
    user_vectors: np.ndarray
    had: sp.csr_matrix

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, `[users, k]`."""
        scores = self.user_vectors[users] @ self.item_vectors.T + self.item_biases
        if new_only:
            scores[self.had[users].nonzero()] = -np.inf
        best = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        return np.take_along_axis(best, order, axis=1)


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
        item_biases, item_vectors = model.get_item_representations(features)
        _, user_vectors = model.get_user_representations()
        yield LightFmModel(item_biases, item_vectors, user_vectors, had)


def one_hot(data: Data) -> sp.csr_matrix:
    """Returns each item's own column and those of its values, rows summing to 1."""
    blocks = [sp.identity(data.items, np.float32, format="csr")]
    rows = np.arange(data.items)
    for codes in data.features.values():
        ones = np.ones(data.items, np.float32)
        blocks.append(sp.csr_matrix((ones, (rows, codes))))
    stacked = sp.hstack(blocks, format="csr", dtype=np.float32)
    return (stacked / len(blocks)).tocsr()
