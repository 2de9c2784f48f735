"""Customers of whom little is known: users asked with a part of their past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
)
from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.ranking import metrics_of
from tfrs_app.evaluation.significance import Interval, interval_of, resampled_means
from tfrs_app.progress import counted

SHOWN = (0, 1, 3, None)
"""Last events of a history that a model is shown; None: all that it ever sees."""

ListsShowing = Callable[[Question, int, int | None], np.ndarray]
"""A question, k and the events shown to lists, int64 `[users, k]`."""


@dataclass(frozen=True)
class FewEvents:
    """Holds how good a model is that sees so many events of each user.

    Args:
        model: its name.
        events: the last ones, that it sees; None: all.
        metrics: `ndcg@k` and `recall@k`, means over users.
        intervals: of those means.
    """

    model: str
    events: int | None
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]


def with_few_events(
    models: Mapping[str, ListsShowing], question: Question, config: EvaluationConfig
) -> list[FewEvents]:
    """Asks each model with each cut of the histories; one draw of users serves all.

    Args:
        models: by name.
        question: of at least one user.
        config: the cut-off, the resamples and their seed.
    """
    wanted = [f"ndcg@{config.k}", f"recall@{config.k}"]
    per_user = {}
    for name, lists_showing in models.items():
        what = f"{name} with few events"
        for events in counted(SHOWN, what, "lengths", len(SHOWN)):
            lists = lists_showing(question, config.k, events)
            found = metrics_of(lists, question, [config.k])
            per_user[name, events] = {metric: found[metric] for metric in wanted}
    values = {
        f"{name} {events} {metric}": found
        for (name, events), metrics in per_user.items()
        for metric, found in metrics.items()
    }
    drawn = resampled_means(values, config.resamples, config.seed)
    return [
        FewEvents(
            model=name,
            events=events,
            metrics=mean_of(metrics),
            intervals={m: interval_of(drawn[f"{name} {events} {m}"]) for m in wanted},
        )
        for (name, events), metrics in per_user.items()
    ]


def last_events(
    inputs: Mapping[str, tf.Tensor], count: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns a query tower's inputs with histories cut to their last events.

    Profile and context stay.
    """
    sequences = (HISTORY_ITEM_ID, HISTORY_EVENT_TYPE, HISTORY_TIMESTAMP)
    length = tf.shape(inputs[HISTORY_ITEM_ID])[1]
    shown = tf.range(length) >= length - count  # padding stands in front
    return {
        name: tf.where(shown, value, 0) if name in sequences else value
        for name, value in inputs.items()
    }
