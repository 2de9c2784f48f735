"""Who knows the truth: the best list that anybody could make."""

from __future__ import annotations

import numpy as np

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.protocol import Question
from tfrs_app.simulation.expectations import expected_purchases, expected_reorders
from tfrs_app.simulation.options import SECONDS_PER_DAY, START
from tfrs_app.simulation.tables import number_of
from tfrs_app.simulation.world import World


class Oracle:
    """Scores items by the purchases to expect in the days after a question's moment.

    Args:
        world: the truth.
        log: everybody's events, in the dataset's rows.
        item_ids: of the dataset's catalogue, `[items]`.
        window_days: length of the question's window.
    """

    def __init__(
        self, world: World, log: EventLog, item_ids: np.ndarray, window_days: int
    ) -> None:
        self._world = world
        self._log = log
        self._user = np.array([number_of(i) for i in log.user_id], np.int64)
        self._item = np.array([number_of(i) for i in item_ids], np.int64)
        self._window_days = window_days

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float64 `[users, items]` for a slice of the question's users."""
        first_day = int(_days(np.array(question.moment_s)))
        end_day = min(first_day + self._window_days, self._world.days)
        users = self._user[question.user[rows]]
        scores = expected_purchases(self._world, users, first_day, end_day)
        scores = scores[:, self._item]
        bounds = zip(
            question.history_start[rows], question.history_end[rows], strict=True
        )
        for row, (start, end) in enumerate(bounds):
            had = start + np.flatnonzero(self._log.bought[start:end])
            item = self._log.item[had]
            day = _days(self._log.timestamp[had])
            due = expected_reorders(
                self._world, self._item[item], day, first_day, end_day
            )
            np.add.at(scores[row], item, due)
        return scores


def _days(moments_s: np.ndarray) -> np.ndarray:
    """Returns the simulated day in which each moment lies."""
    days: np.ndarray = (moments_s - int(START.timestamp())) // SECONDS_PER_DAY
    return days
