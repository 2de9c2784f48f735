"""The two towers of TensorFlow Recommenders' first tutorial.

https://www.tensorflow.org/recommenders/examples/basic_retrieval: string ids through
`StringLookup` and `Embedding` on both sides, `tfrs.tasks.Retrieval`, Adagrad, batches
of 8192, three epochs. Written anew from the documented interface. Runs where ours
does: Keras 2 beside TensorFlow 2.20.
"""

from __future__ import annotations

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import tensorflow as tf
import tensorflow_recommenders as tfrs

from benchmarks.peers.models.longer_lists import first_new, most_had
from benchmarks.peers.rival import SEED, THREADS, Data, Setting

PACKAGES = ("tensorflow-recommenders", "tensorflow", "tf-keras")
SETTINGS = tuple(
    {
        "dim": dim,
        "learning_rate": rate,
        "batch_size": batch_size,
        "purchases": purchases,
        "epochs": epochs,
    }
    for dim, rate, batch_size, purchases, epochs in (
        (32, 0.1, 8192, "first", 3),
        (32, 0.5, 2048, "first", 5),
        (32, 0.1, 2048, "first", 10),
        (32, 0.1, 2048, "each", 10),
        (64, 0.1, 2048, "first", 10),
    )
)


class Tutorial(tfrs.Model):
    """Two look-ups and two embeddings.

    Args:
        users: ids, distinct.
        items: ids, the catalogue's.
        dim: of both embeddings.
    """

    def __init__(self, users: np.ndarray, items: np.ndarray, dim: int) -> None:
        super().__init__()
        self.user_tower = tower(users, dim)
        self.item_tower = tower(items, dim)
        self.task = tfrs.tasks.Retrieval()

    def compute_loss(
        self, inputs: Mapping[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the in-batch softmax loss of pairs."""
        return self.task(
            self.user_tower(inputs["user"]), self.item_tower(inputs["item"])
        )


def tower(ids: np.ndarray, dim: int) -> tf.keras.Model:
    """Makes a look-up and an embedding."""
    return tf.keras.Sequential(
        [
            tf.keras.layers.StringLookup(vocabulary=ids, mask_token=None),
            tf.keras.layers.Embedding(len(ids) + 1, dim),
        ]
    )


@dataclass(frozen=True)
class TutorialModel:
    """Asks the towers through a brute-force index.

    Args:
        search: the index, of the whole catalogue.
        user_ids: bytes `[users]`.
        had: what each user had, `[users, items]`.
    """

    search: tfrs.layers.factorized_top_k.BruteForce
    user_ids: np.ndarray
    had: sp.csr_matrix

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, `[users, k]`."""
        longest = k + (most_had(self.had, users) if new_only else 0)
        _, found = self.search(tf.constant(self.user_ids[users]), k=longest)
        ranked = found.numpy()
        return first_new(ranked, self.had, users, k) if new_only else ranked


def fit(data: Data, setting: Setting) -> Iterator[TutorialModel]:
    """Yields the model after each epoch."""
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.keras.utils.set_random_seed(SEED)
    user_ids, item_ids = (np.arange(n).astype(bytes) for n in (data.users, data.items))
    trained = data.once() if setting["purchases"] == "first" else data
    model = Tutorial(user_ids, item_ids, setting["dim"])
    model.compile(tf.keras.optimizers.Adagrad(setting["learning_rate"]))
    pairs = tf.data.Dataset.from_tensor_slices(
        {"user": user_ids[trained.user], "item": item_ids[trained.item]}
    )
    batches = pairs.shuffle(len(trained.user), seed=SEED).batch(setting["batch_size"])
    for _ in range(setting["epochs"]):
        model.fit(batches.prefetch(1), verbose=0)
        search = tfrs.layers.factorized_top_k.BruteForce(model.user_tower)
        search.index(model.item_tower(tf.constant(item_ids)), tf.range(len(item_ids)))
        yield TutorialModel(search, user_ids, data.weighted("binary"))
