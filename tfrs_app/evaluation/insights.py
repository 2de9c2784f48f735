"""What `metrics.json` tells beyond the results: the funnel's inside, new customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tfrs_app.evaluation.few_events import FewEvents
from tfrs_app.evaluation.funnel.attribution import Attribution
from tfrs_app.evaluation.funnel.diversity import DiversityPoint
from tfrs_app.evaluation.funnel.findings import SPREAD, FunnelFindings
from tfrs_app.evaluation.funnel.popularity import StageBias
from tfrs_app.evaluation.protocol import Target
from tfrs_app.evaluation.reliability import Reliability
from tfrs_app.evaluation.significance import Interval


@dataclass(frozen=True)
class Newcomers:
    """Holds how good models are that see a part of each history.

    Args:
        users: that were asked.
        rows: one a model and cut.
    """

    users: int
    rows: Sequence[FewEvents]


@dataclass(frozen=True)
class Insights:
    """Holds what was found out beyond the results.

    Args:
        funnel: model and target -> its inside.
        newcomers: target -> models that see a part of each history.
        probabilities: of the ranker's tasks.
    """

    funnel: Mapping[tuple[str, Target], FunnelFindings] = field(default_factory=dict)
    newcomers: Mapping[Target, Newcomers] = field(default_factory=dict)
    probabilities: Sequence[Reliability] = ()

    def beside(self, model: str, target: Target) -> dict[str, Any]:
        """Returns what a row of `results` tells further."""
        found = self.funnel.get((model, target))
        return {} if found is None else {"funnel": _funnel(found)}

    @property
    def document(self) -> dict[str, Any]:
        """Returns what stands beside `results`."""
        told: dict[str, Any] = {}
        if self.newcomers:
            told["few_events"] = {
                target.value: {
                    "users": found.users,
                    "rows": [_few(row) for row in found.rows],
                }
                for target, found in self.newcomers.items()
            }
        if self.probabilities:
            told["probabilities"] = [_reliability(one) for one in self.probabilities]
        return told


def _funnel(found: FunnelFindings) -> dict[str, Any]:
    return {
        "attribution": _attribution(found.attribution),
        "sources": {n: asdict(one) for n, one in found.attribution.sources.items()},
        "sample_users": found.users,
        "diversity_curve": [_point(point) for point in found.curve],
        "stages": {name: _bias(bias) for name, bias in found.stages.items()},
        "diversified_by": SPREAD,
    }


def _attribution(found: Attribution) -> dict[str, Any]:
    return {
        "purchases": sum(found.counts.values()),
        "listable": found.listable,
        "counts": {fate.value: count for fate, count in found.counts.items()},
        "shares": {fate.value: share for fate, share in found.shares.items()},
    }


def _point(point: DiversityPoint) -> dict[str, Any]:
    return {
        "diversity": point.diversity,
        **point.metrics,
        **point.list_metrics,
        "distinct": dict(point.distinct),
        "intervals": _bounds(point.intervals),
        "differences": _bounds(point.differences),
    }


def _bias(bias: StageBias) -> dict[str, Any]:
    return {
        "entries": bias.entries,
        "gini": bias.gini,
        "head": {f"{share:g}": part for share, part in bias.head.items()},
    }


def _few(row: FewEvents) -> dict[str, Any]:
    return {
        "model": row.model,
        "events": row.events,
        **row.metrics,
        "intervals": _bounds(row.intervals),
    }


def _reliability(one: Reliability) -> dict[str, Any]:
    names = ("probability", "happened", "weight")
    return {
        **asdict(one),
        "bins": [dict(zip(names, row, strict=True)) for row in one.bins],
    }


def _bounds(intervals: Mapping[str, Interval]) -> dict[str, list[float]]:
    return {name: [one.low, one.high] for name, one in intervals.items()}
