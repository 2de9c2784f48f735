"""Two towers of ids with KerasRS' retrieval layers, on the PyTorch backend.

Its basic retrieval example regresses explicit ratings, which a shop does not have. The
towers and Adagrad are that example's; the loss is the in-batch softmax of its
sequential retrieval example, with the layers that KerasRS has for it.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import keras_rs
import numpy as np
import scipy.sparse as sp
import torch

from benchmarks.peers.models.longer_lists import first_new, most_had
from benchmarks.peers.rival import SEED, THREADS, Data, Setting

PACKAGES = ("keras-rs", "keras", "torch")
SETTINGS = tuple(
    {
        "dim": dim,
        "learning_rate": rate,
        "batch_size": 2048,
        "purchases": purchases,
        "corrected": corrected,
        "epochs": 10,
    }
    for dim, rate, purchases, corrected in (
        (32, 0.1, "first", False),
        (32, 0.1, "first", True),
        (32, 0.5, "first", True),
        (32, 0.1, "each", True),
        (64, 0.1, "first", True),
    )
)


class TwoTowers(keras.Model):
    """An embedding of the user and one of the item.

    Args:
        data: for the sizes and for how often each item is sampled.
        setting: of the peer.
    """

    def __init__(self, data: Data, setting: Setting) -> None:
        super().__init__()
        self.user_tower = keras.layers.Embedding(data.users, setting["dim"])
        self.item_tower = keras.layers.Embedding(data.items, setting["dim"])
        self.hits = keras_rs.layers.RemoveAccidentalHits()
        self.correction = keras_rs.layers.SamplingProbabilityCorrection()
        self.corrected = setting["corrected"]
        sold = np.bincount(data.item, minlength=data.items).astype(np.float32)
        self.share = keras.ops.convert_to_tensor(sold / sold.sum())
        # A mean would leave gradients far below Adagrad's first accumulator, 0.1, and
        # the towers where they began.
        self.softmax = keras.losses.CategoricalCrossentropy(
            from_logits=True, reduction="sum"
        )

    def call(self, inputs: Any) -> Any:
        """Returns the vectors of both sides of pairs."""
        return self.user_tower(inputs["user"]), self.item_tower(inputs["item"])

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Returns the softmax loss of each pair among the items of its batch."""
        users, items = y_pred
        logits = keras.ops.matmul(users, keras.ops.transpose(items))
        labels = keras.ops.eye(len(users))
        if self.corrected:
            logits = self.correction(logits, keras.ops.take(self.share, x["item"]))
            logits = self.hits(logits, labels, x["item"])
        return self.softmax(labels, logits)


@dataclass(frozen=True)
class TwoTowerModel:
    """Asks the towers through a brute-force retrieval layer.

    Args:
        towers: trained.
        had: what each user had, `[users, items]`.
    """

    towers: TwoTowers
    had: sp.csr_matrix

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, `[users, k]`."""
        longest = k + (most_had(self.had, users) if new_only else 0)
        search = keras_rs.layers.BruteForceRetrieval(
            self.towers.item_tower.embeddings, k=longest, return_scores=False
        )
        with torch.no_grad():
            vectors = self.towers.user_tower(keras.ops.convert_to_tensor(users))
            ranked = keras.ops.convert_to_numpy(search(vectors))
        return first_new(ranked, self.had, users, k) if new_only else ranked


def fit(data: Data, setting: Setting) -> Iterator[TwoTowerModel]:
    """Yields the model after each epoch."""
    torch.set_num_threads(THREADS)
    keras.utils.set_random_seed(SEED)
    had = data.weighted("binary")
    trained = data.once() if setting["purchases"] == "first" else data
    towers = TwoTowers(trained, setting)
    towers.compile(keras.optimizers.Adagrad(setting["learning_rate"]))
    pairs = {"user": trained.user, "item": trained.item}
    for _ in range(setting["epochs"]):
        towers.fit(pairs, batch_size=setting["batch_size"], shuffle=True, verbose=0)
        yield TwoTowerModel(towers, had)
