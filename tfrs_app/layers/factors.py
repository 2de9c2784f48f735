"""Linear factors of the shop's events, in closed form: what a small shop can learn.

With X `[users, items]` the ridge regression of every item on all others is, up to its
diagonal and a factor an item, V diag(s^2 / (s^2 + lambda)) V', where U s V' is the
singular value decomposition of X. Its first columns are factors that need no gradient
and cannot be learned by heart. Source: EASE, Steck 2019, https://arxiv.org/abs/1905.03375,
of which this is the truncated form.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import tensorflow as tf
from scipy.sparse.linalg import svds

from tfrs_app.contract.retrieval_config import FactorsConfig
from tfrs_app.data.event_log import EventLog
from tfrs_app.layers.inputs import SECONDS_PER_DAY

USERS_OF_SCALE = 500
"""Users whose scores decide how long the vectors are."""


def item_factors(
    log: EventLog, items: int, config: FactorsConfig, until_s: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a history adds up and what a candidate is compared by.

    Args:
        log: everybody's events.
        items: size of the catalogue.
        config: number of factors, decay and regularisation.
        until_s: only events before this second count.

    Returns:
        Two float32 `[items, dim]`; scores of a mean history have standard deviation 1.
    """
    pairs = _pairs(log, items, config.half_life_days, until_s)
    dim = min(config.dim, min(pairs.shape) - 1)
    if dim < 1 or not pairs.nnz:
        nothing = np.zeros((items, config.dim), np.float32)
        return nothing, nothing
    # A fixed start makes the decomposition the same in every run.
    start = np.random.default_rng(0).normal(size=min(pairs.shape))
    _, singular, right = svds(pairs, k=dim, v0=start)
    shrunk = singular**2 / (singular**2 + config.regularization)
    factors = np.zeros((items, config.dim))
    factors[:, :dim] = right.T * np.sqrt(shrunk)
    diagonal = np.sum(factors**2, axis=1, keepdims=True)
    candidate = factors / np.maximum(1.0 - diagonal, 1e-3)
    scale = np.sqrt(_spread(pairs, factors, candidate))
    return (factors / scale).astype(np.float32), (candidate / scale).astype(np.float32)


def _pairs(
    log: EventLog, items: int, half_life_days: float, until_s: int
) -> sp.csr_matrix:
    """Returns decayed, summed weights of (user, item), at most 1, `[users, items]`."""
    past = log.timestamp < until_s
    age_days = (until_s - log.timestamp[past]) / SECONDS_PER_DAY
    weight = log.weight[past] * 0.5 ** (age_days / half_life_days)
    cells = (log.user[past], log.item[past])
    pairs = sp.csr_matrix((weight, cells), shape=(log.users, items))
    pairs.sum_duplicates()
    pairs.data = np.minimum(pairs.data, 1.0)
    return pairs


def _spread(pairs: sp.csr_matrix, factors: np.ndarray, candidate: np.ndarray) -> float:
    """Returns the standard deviation of the scores of mean histories; 1 for none."""
    some = pairs[np.flatnonzero(np.diff(pairs.indptr))[:USERS_OF_SCALE]]
    mean = (some @ factors) / some.sum(axis=1).reshape(-1, 1)
    return _deviation(np.asarray(mean), candidate) or 1.0


def _deviation(left: np.ndarray, right: np.ndarray) -> float:
    """Returns the standard deviation of all products of rows, without making them."""
    pairs = len(left) * len(right)
    mean = left.sum(axis=0) @ right.sum(axis=0) / pairs
    square = np.sum((left.T @ left) * (right.T @ right)) / pairs
    return float(np.sqrt(max(square - mean**2, 0.0)))


class FactorTables(tf.keras.layers.Layer):
    """Holds the factors by item index, beside what is learned by gradients.

    Args:
        index: int `[items]`, the item index of each catalogue row.
        dim: number of factors.
        rows: of the tables, padding and unknown item included; theirs are zeros.
    """

    def __init__(self, index: np.ndarray, rows: int, dim: int) -> None:
        super().__init__(name="factor_tables", trainable=False)
        self._index = index
        self.history = tf.Variable(tf.zeros([rows, dim]), trainable=False)
        self.candidate = tf.Variable(tf.zeros([rows, dim]), trainable=False)
        self.built = True  # there is no call that would

    def assign(self, history: np.ndarray, candidate: np.ndarray) -> None:
        """Takes new factors, `[items, dim]` in the order of the catalogue."""
        for table, values in ((self.history, history), (self.candidate, candidate)):
            by_index = np.zeros(table.shape, np.float32)
            by_index[self._index] = values
            table.assign(by_index)
