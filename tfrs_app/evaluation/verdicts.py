"""Who beats whom, and how sure that is, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation.protocol import Target
from tfrs_app.evaluation.results import Result
from tfrs_app.evaluation.significance import (
    Difference,
    Outcome,
    difference_of,
    interval_of,
    resampled_means,
)


@dataclass(frozen=True)
class Verdict:
    """Compares a model with a baseline on one metric of one target.

    Args:
        model: that is judged.
        rival: the baseline.
        target: of the question.
        metric: such as `ndcg@20`.
        difference: with its 95 % interval from the paired bootstrap.
        best: whether no baseline has more of the metric on the test window.
    """

    model: str
    rival: str
    target: Target
    metric: str
    difference: Difference
    best: bool

    @property
    def words(self) -> str:
        """Returns a sentence for the screen."""
        outcome, what = self.difference.outcome, f"{self.target} {self.metric}"
        start = f"{self.model} {outcome} {self.rival} on {what}"
        bounds = self.difference.relative_interval
        if self.difference.relative is None or bounds is None:
            interval = self.difference.interval
            return (
                f"{start}: difference {self.difference.value:+.4f} "
                f"(95 % interval {interval.low:+.4f} to {interval.high:+.4f})"
            )
        value = self.difference.relative
        if outcome is not Outcome.TIES:
            how = f"{start} by {abs(value):.1%}"
        else:
            how = f"{start}: {value:+.1%}"
        return f"{how} (95 % interval {bounds.low:+.1%} to {bounds.high:+.1%})"


def judge(
    results: Sequence[Result], baselines: Collection[str], config: EvaluationConfig
) -> tuple[list[Result], list[Verdict]]:
    """Adds intervals to all results and judges each model against each baseline.

    One bootstrap draws the users of a target for everybody, so every comparison is
    paired.

    Args:
        results: of the test window.
        baselines: names of those that are no models under test.
        config: cut-off, number of resamples and seed.
    """
    completed, verdicts = [], []
    for target in dict.fromkeys(result.target for result in results):
        rows = [result for result in results if result.target is target]
        if not len(rows[0].question.user):
            completed += rows
            continue
        drawn = _drawn(rows, config)
        completed += [_with_intervals(row, drawn) for row in rows]
        for metric in (f"ndcg@{config.k}", f"recall@{config.k}"):
            verdicts += _verdicts(rows, baselines, metric, drawn)
    return completed, verdicts


def _drawn(rows: Sequence[Result], config: EvaluationConfig) -> dict[str, np.ndarray]:
    values = {
        f"{row.model} {metric}": per_user
        for row in rows
        for metric, per_user in row.per_user.items()
    }
    return resampled_means(values, config.resamples, config.seed)


def _with_intervals(row: Result, drawn: Mapping[str, np.ndarray]) -> Result:
    intervals = {
        metric: interval_of(drawn[f"{row.model} {metric}"]) for metric in row.metrics
    }
    return replace(row, intervals=intervals)


def _verdicts(
    rows: Sequence[Result],
    baselines: Collection[str],
    metric: str,
    drawn: Mapping[str, np.ndarray],
) -> list[Verdict]:
    rivals = [row for row in rows if row.model in baselines]
    # The best on the test window itself: its luck there counts against the model.
    best = max(rivals, key=lambda row: row.metrics[metric], default=None)
    return [
        Verdict(
            model=row.model,
            rival=rival.model,
            target=row.target,
            metric=metric,
            difference=difference_of(
                row.metrics[metric],
                rival.metrics[metric],
                drawn[f"{row.model} {metric}"],
                drawn[f"{rival.model} {metric}"],
            ),
            best=rival is best,
        )
        for row in rows
        if row.model not in baselines
        for rival in rivals
    ]
