"""Whether probabilities come true: reliability of each of the ranker's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.funnel.probe import Considered
from tfrs_app.evaluation.probabilities import auc, calibration_error, reliability
from tfrs_app.evaluation.protocol import Question


@dataclass(frozen=True)
class Reliability:
    """Holds how far one task's probabilities are from what happened.

    Args:
        task: event type.
        where: `held_out`, which the probabilities were fitted on, or `test`.
        candidates: that were judged.
        happened: share of them that the event happened to.
        expected: mean probability.
        auc: chance that one to which it happened has the higher probability.
        ece: mean distance of the bins' probability from their share.
        bins: mean probability, share that happened, weight; equally heavy.
    """

    task: str
    where: str
    candidates: int
    happened: float
    expected: float
    auc: float
    ece: float
    bins: Sequence[tuple[float, float, float]]


def reliability_of(
    task: str, where: str, p: np.ndarray, label: np.ndarray
) -> Reliability:
    """Returns the reliability of probabilities `[n]` of what happened, bool `[n]`."""
    weight = np.ones(len(p), np.float32)
    p = p.astype(float)
    return Reliability(
        task=task,
        where=where,
        candidates=len(p),
        happened=float(label.mean()),
        expected=float(p.mean()),
        auc=auc(p, label),
        ece=calibration_error(p, label, weight),
        bins=reliability(p, label, weight),
    )


def on_test(
    log: EventLog,
    types: Mapping[str, int],
    question: Question,
    considered: Considered,
    end_s: int,
) -> list[Reliability]:
    """Returns each task's reliability on the candidates of users, as served.

    Args:
        log: with what then happened.
        types: task -> position of its event type.
        question: that was asked of everybody.
        considered: all candidates.
        end_s: what happens before this second counts.
    """
    real = considered.row >= 0
    items = int(max(log.item.max(initial=0), considered.row.max(initial=0))) + 1
    keys = question.user[:, np.newaxis] * items + considered.row
    span = log.span(question.moment_s, end_s)
    pairs = log.user * items + log.item
    return [
        reliability_of(
            task,
            "test",
            considered.probability[task][real],
            np.isin(keys[real], pairs[span & (log.event_type == event_type)]),
        )
        for task, event_type in types.items()
    ]
