"""The TensorFlow Recommenders retrieval tutorial, written for a shop's dataset.

https://www.tensorflow.org/recommenders/examples/basic_retrieval: string ids through
`StringLookup` and `Embedding` in both towers, `tfrs.tasks.Retrieval`, Adagrad(0.1),
shuffled, batched and cached pairs. Batches are cached before the clock starts and
prefetched, as they are in the tutorial from its second epoch on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from tfrs_app.contract.features import ITEM_ID, USER_ID
from tfrs_app.data.dataset import Dataset
from training_rivals.heldout import HeldOut
from training_rivals.pace import Pace, Run

LEARNING_RATE = 0.1
CANDIDATES_A_STEP = 128
WARM = 5
WARM_WITH_METRICS = 1


class TutorialModel(tfrs.Model):
    """Two towers of ids alone.

    Args:
        users: distinct ids.
        items: distinct ids, the catalogue's.
        dim: of both embeddings.
        with_metrics: whether the training step ranks the whole catalogue.
    """

    def __init__(
        self, users: np.ndarray, items: np.ndarray, dim: int, with_metrics: bool
    ) -> None:
        super().__init__()
        self.user_model = tower(users, dim)
        self.item_model = tower(items, dim)
        metrics = None
        if with_metrics:
            catalogue = tf.data.Dataset.from_tensor_slices(items)
            metrics = tfrs.metrics.FactorizedTopK(
                candidates=catalogue.batch(CANDIDATES_A_STEP).map(self.item_model)
            )
        self.task = tfrs.tasks.Retrieval(metrics=metrics)

    def compute_loss(
        self, inputs: Mapping[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Returns the summed in-batch softmax loss of pairs."""
        return self.task(
            self.user_model(inputs[USER_ID]), self.item_model(inputs[ITEM_ID])
        )


def tower(ids: np.ndarray, dim: int) -> tf.keras.Model:
    """Makes a look-up and an embedding."""
    return tf.keras.Sequential(
        [
            tf.keras.layers.StringLookup(vocabulary=ids, mask_token=None),
            tf.keras.layers.Embedding(len(ids) + 1, dim),
        ]
    )


def train(
    dataset: Dataset,
    *,
    dim: int,
    batch_size: int,
    steps: int,
    seed: int,
    with_metrics: bool,
    with_loss: bool,
) -> Run:
    """Trains the tutorial's model for some steps and measures it."""
    tf.keras.utils.set_random_seed(seed)
    log = dataset.events
    model = TutorialModel(log.user_id, dataset.catalogue[ITEM_ID], dim, with_metrics)
    model.compile(optimizer=tf.keras.optimizers.Adagrad(LEARNING_RATE))
    start = time.perf_counter()
    cached = pairs(dataset, seed).batch(batch_size).take(steps).cache()
    for _ in cached:
        pass
    start_s = time.perf_counter() - start
    pace = Pace(WARM_WITH_METRICS if with_metrics else WARM)
    model.fit(cached.prefetch(tf.data.AUTOTUNE), verbose=0, callbacks=[pace])
    rates = pace.rates(batch_size)
    if not with_loss:
        return Run(*rates, start_s)
    items = model.item_model(tf.constant(dataset.catalogue[ITEM_ID])).numpy()
    held_out = HeldOut(dataset)
    users = model.user_model(tf.constant(log.user_id[held_out.user])).numpy()
    return Run(*rates, start_s, held_out.losses(users @ items.T))


def pairs(dataset: Dataset, seed: int) -> tf.data.Dataset:
    """Returns the training span's pairs of ids, shuffled as a whole."""
    log = dataset.events
    trained = log.span(None, dataset.split.validation_start)
    columns = {
        USER_ID: log.user_id[log.user[trained]],
        ITEM_ID: dataset.catalogue[ITEM_ID][log.item[trained]],
    }
    together = tf.data.Dataset.from_tensor_slices(columns)
    return together.shuffle(int(trained.sum()), seed=seed)
