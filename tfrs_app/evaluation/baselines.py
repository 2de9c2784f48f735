"""The simple recommenders that a neural model must beat, each tuned on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.ranking import Scorer, evaluate

SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True)
class Popular:
    """Lists the items with the most events before the question, the same to everybody.

    Args:
        log: everybody's events.
        items: size of the catalogue.
        window_days: only events of the last so many days count; None for all.
    """

    log: EventLog
    items: int
    window_days: float | None = None

    def counts(self, moment_s: int) -> np.ndarray:
        """Returns the summed weight of each item's events, float64 `[items]`."""
        start = (
            None
            if self.window_days is None
            else moment_s - round(self.window_days * SECONDS_PER_DAY)
        )
        recent = self.log.span(start, moment_s)
        items, weight = self.log.item[recent], self.log.weight[recent]
        # Without events NumPy counts in integers, weights or not.
        return np.bincount(items, weight, minlength=self.items).astype(np.float64)

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float `[users, items]`."""
        counts = self.counts(question.moment_s)
        return np.broadcast_to(counts, (len(question.user[rows]), self.items))


@dataclass(frozen=True)
class PersonalFrequency:
    """Lists what the user had most often, recent events counting more, then popular.

    Args:
        log: everybody's events.
        items: size of the catalogue.
        half_life_days: age at which an event counts half.
    """

    log: EventLog
    items: int
    half_life_days: float

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float `[users, items]`."""
        popular = Popular(self.log, self.items).counts(question.moment_s)
        # Popularity only orders what the user never had: it stays below any frequency.
        fallback = popular / (popular.max(initial=0) + 1.0) - 1.0
        event_weight = self.log.weight
        users = len(question.user[rows])
        scores = np.tile(fallback.astype(np.float32), (users, 1))
        bounds = zip(
            question.history_start[rows], question.history_end[rows], strict=True
        )
        for row, (start, end) in enumerate(bounds):
            age_s = question.moment_s - self.log.timestamp[start:end]
            weight = 0.5 ** (age_s / (self.half_life_days * SECONDS_PER_DAY))
            weight = weight * event_weight[start:end]
            items = self.log.item[start:end]
            scores[row, items] = 0.0
            np.add.at(scores[row], items, weight)
        return scores


@dataclass(frozen=True)
class Baseline:
    """Names a family of scorers and the parameter values that are tried."""

    name: str
    make: Callable[..., Scorer]
    grid: Sequence[Mapping[str, float]] = field(default=({},))


BASELINES = (
    Baseline("popular", Popular),
    Baseline(
        "recently_popular",
        Popular,
        tuple({"window_days": days} for days in (3, 7, 14, 21, 28, 56, 112)),
    ),
    Baseline(
        "personal_frequency",
        PersonalFrequency,
        tuple({"half_life_days": days} for days in (7, 14, 28, 56, 112, 224)),
    ),
)


def tune(
    baseline: Baseline, question: Question, log: EventLog, items: int, k: int
) -> Mapping[str, float]:
    """Returns the parameters with the best NDCG@k on a question of the validation."""
    if len(baseline.grid) == 1:
        return baseline.grid[0]
    return max(
        baseline.grid,
        key=lambda parameters: evaluate(
            baseline.make(log, items, **parameters), question, (k,)
        )[f"ndcg@{k}"],
    )
