"""A question as the requests that a client would send for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.signatures import EXCLUDE, K
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.ragged import padded
from tfrs_app.data.raw_queries import raw_queries
from tfrs_app.evaluation.protocol import Question
from tfrs_app.progress import counted

USERS_A_REQUEST = 32


@dataclass(frozen=True)
class Requests:
    """Writes requests for users of a dataset.

    Args:
        dataset: whose users are asked for.
        history_length: events that a request shows at most, the last ones.
    """

    dataset: Dataset
    history_length: int

    def of(self, question: Question, k: int) -> Iterator[dict[str, np.ndarray]]:
        """Yields the inputs of `recommend` for all users, some at a time.

        Args:
            question: its candidates are not read.
            k: length of the lists.
        """
        ids = self.dataset.catalogue[ITEM_ID]
        steps = range(0, len(question.user), USERS_A_REQUEST)
        for start in counted(steps, "asking the model", "requests", len(steps)):
            rows = slice(start, min(start + USERS_A_REQUEST, len(question.user)))
            users = question.user[rows]
            inputs = raw_queries(
                self.dataset,
                users,
                question.history_end[rows],
                np.full(len(users), question.moment_s),
                self.history_length,
            )
            splits = question.excluded.splits[rows.start : rows.stop + 1]
            barred = question.excluded.items[splits[0] : splits[-1]]
            excluded = padded(splits - splits[0], ids[barred].astype(object), b"")
            yield {**inputs, EXCLUDE: excluded, K: np.array(k, np.int32)}
