"""The retrieval model as a scorer of the whole catalogue."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfrs_app.data.windows import QueryReader
from tfrs_app.evaluation.protocol import Question
from tfrs_app.models.retrieval import RetrievalModel

ITEMS_A_STEP = 8192


class RetrievalScorer:
    """Scores by dot products; embeds the catalogue once, when it is made."""

    def __init__(self, model: RetrievalModel, reader: QueryReader) -> None:
        self.item_embeddings = embed_catalogue(model)
        self._embed = tf.function(
            lambda user, end, timestamp: model.query_tower(
                reader(user, end, timestamp, end - 1)
            ),
            reduce_retracing=True,
        )

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        user = tf.constant(question.user[rows])
        moment = tf.fill([len(user)], tf.constant(question.moment_s, tf.int64))
        queries = self._embed(user, tf.constant(question.history_end[rows]), moment)
        scores: np.ndarray = queries.numpy() @ self.item_embeddings.T
        return scores


def embed_catalogue(model: RetrievalModel) -> np.ndarray:
    """Returns the embedding of every catalogue item, float32 `[items, dim]`."""
    embed = tf.function(model.embed_items, reduce_retracing=True)
    steps = range(0, model.catalogue_size, ITEMS_A_STEP)
    return np.concatenate(
        [
            embed(tf.range(s, min(s + ITEMS_A_STEP, model.catalogue_size))).numpy()
            for s in steps
        ]
    )
