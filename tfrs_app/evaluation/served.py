"""A published SavedModel as it answers: what is measured is what is served."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.signatures import EXCLUDE, RECOMMEND, K
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.ragged import padded
from tfrs_app.data.raw_queries import raw_queries
from tfrs_app.evaluation.protocol import Question

USERS_A_REQUEST = 32


class ServedLists:
    """Asks the `recommend` signature of a SavedModel, as a client would.

    Args:
        folder: of the SavedModel.
        dataset: whose users are asked for.
        history_length: events that a request shows.
    """

    def __init__(self, folder: Path, dataset: Dataset, history_length: int) -> None:
        self._model = tf.saved_model.load(str(folder))
        self._recommend = self._model.signatures[RECOMMEND]
        self._defaults = _defaults(folder, RECOMMEND)
        self._dataset, self._history_length = dataset, history_length
        ids = dataset.catalogue[ITEM_ID]
        self._order = np.argsort(ids)
        self._sorted = ids[self._order]

    def lists(self, question: Question, k: int) -> np.ndarray:
        """Returns each user's best k catalogue rows, int64 `[users, k]`; -1: none."""
        steps = range(0, len(question.user), USERS_A_REQUEST)
        parts = [self._answers(question, start, k) for start in steps]
        return np.concatenate(parts) if parts else np.zeros((0, k), np.int64)

    def _answers(self, question: Question, start: int, k: int) -> np.ndarray:
        rows = slice(start, min(start + USERS_A_REQUEST, len(question.user)))
        users = question.user[rows]
        inputs = raw_queries(
            self._dataset,
            users,
            question.history_end[rows],
            np.full(len(users), question.moment_s),
            self._history_length,
        )
        splits = question.excluded.splits[rows.start : rows.stop + 1]
        barred = question.excluded.items[splits[0] : splits[-1]]
        ids = self._dataset.catalogue[ITEM_ID][barred].astype(object)
        excluded = padded(splits - splits[0], ids, b"")
        given = {**inputs, EXCLUDE: excluded, K: np.array(k, np.int32)}
        tensors = {
            name: tf.constant(given[name], default.dtype) if name in given else default
            for name, default in self._defaults.items()
        }
        answer = self._recommend(**tensors)
        lists = self._rows(answer[ITEM_ID].numpy())
        return np.pad(lists, ((0, 0), (0, k - lists.shape[1])), constant_values=-1)

    def _rows(self, ids: np.ndarray) -> np.ndarray:
        """Returns the catalogue rows of ids, in their shape; -1 for none."""
        last = len(self._sorted) - 1
        found = np.searchsorted(self._sorted, ids.ravel()).clip(max=last)
        real = self._sorted[found] == ids.ravel()
        return np.where(real, self._order[found], -1).reshape(ids.shape)


def _defaults(folder: Path, signature: str) -> dict[str, tf.Tensor]:
    """Returns what TF Serving fills in for each input that a client leaves out."""
    saved = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    )
    defaults = saved.meta_graphs[0].signature_def[signature].defaults
    return {n: tf.constant(tf.make_ndarray(v)) for n, v in defaults.items()}
