"""The retrieval model as a scorer of the whole catalogue."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfrs_app.data.windows import QueryReader
from tfrs_app.evaluation.protocol import Question
from tfrs_app.models.retrieval import RetrievalModel

ITEMS_A_STEP = 8192


class RetrievalScorer:
    """Scores every item by the dot product of query and item embedding.

    The catalogue is embedded once; call `refresh` when the weights have changed.
    """

    def __init__(self, model: RetrievalModel, reader: QueryReader) -> None:
        self._model = model
        vector = tf.TensorSpec([None], tf.int64)
        self._embed = tf.function(
            lambda user, end, timestamp: model.query_tower(
                reader(user, end, timestamp, end - 1)
            ),
            input_signature=[vector, vector, vector],
        )
        self.refresh()

    def refresh(self) -> None:
        """Embeds the catalogue with the model's present weights."""
        self._items = embed_catalogue(self._model)

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        user = question.user[rows]
        moment = np.full(len(user), question.moment_s, np.int64)
        queries = self._embed(user, question.history_end[rows], moment)
        scores: np.ndarray = queries.numpy() @ self._items.T
        return scores


def embed_catalogue(model: RetrievalModel) -> np.ndarray:
    """Returns the embedding of every catalogue item, float32 `[items, dim]`."""
    rows = np.arange(model.catalogue_size, dtype=np.int32)
    return np.concatenate(
        [
            model.embed_items(rows[start : start + ITEMS_A_STEP]).numpy()
            for start in range(0, len(rows), ITEMS_A_STEP)
        ]
    )
