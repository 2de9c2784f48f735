"""The retrieval model as a scorer of the whole catalogue."""

from __future__ import annotations

from copy import copy

import numpy as np
import tensorflow as tf

from tfrs_app.data.windows import QueryReader
from tfrs_app.evaluation.few_events import last_events
from tfrs_app.evaluation.protocol import Question
from tfrs_app.models.retrieval import RetrievalModel


class RetrievalScorer:
    """Scores every item by the dot product of query and item embedding.

    The catalogue is embedded once a moment; call `refresh` when weights have changed.
    """

    def __init__(self, model: RetrievalModel, reader: QueryReader) -> None:
        self._model, self._shown = model, reader.history_length
        vector = tf.TensorSpec([None], tf.int64)
        self._embed = tf.function(
            lambda user, end, timestamp, shown: model.query_tower(
                last_events(reader(user, end, timestamp, end - 1), shown)
            ),
            input_signature=[vector, vector, vector, tf.TensorSpec([], tf.int32)],
        )
        self._catalogues: dict[int, np.ndarray] = {}

    def showing(self, events: int) -> RetrievalScorer:
        """Returns a scorer with the same catalogue that sees each one's last events."""
        other = copy(self)
        other._shown = events
        return other

    def refresh(self) -> None:
        """Forgets the embeddings that older weights gave."""
        self._catalogues.clear()

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        user = question.user[rows]
        moment_s = question.moment_s
        if moment_s not in self._catalogues:
            self._catalogues[moment_s] = self._model.embed_catalogue(moment_s)
        moment = np.full(len(user), moment_s, np.int64)
        ends, shown = question.history_end[rows], np.int32(self._shown)
        queries = self._embed(user, ends, moment, shown)
        scores: np.ndarray = queries.numpy() @ self._catalogues[moment_s].T
        return scores
