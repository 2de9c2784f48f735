"""All that is found out about the funnel on one target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.contract.features import Kind, Role
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.funnel.attribution import Attribution, attribution_of
from tfrs_app.evaluation.funnel.diversity import (
    DiversityPoint,
    diversity_curve,
    sample_of,
)
from tfrs_app.evaluation.funnel.popularity import StageBias, bias_of, stages_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.results import Result
from tfrs_app.evaluation.served import ServedFunnel

SAMPLED_USERS = 500
"""Of whom lists at several diversities are asked."""
SPREAD = 0.3
"""The diversity whose lists stand beside the ranked ones."""


@dataclass(frozen=True)
class FunnelFindings:
    """Holds what was found on one target.

    Args:
        attribution: of all purchases.
        users: number of the sampled users, of whom the rest is.
        curve: one point a diversity.
        stages: name -> what that stage shows.
    """

    attribution: Attribution
    users: int
    curve: Sequence[DiversityPoint]
    stages: Mapping[str, StageBias]


def find_out(
    funnel: ServedFunnel,
    result: Result,
    dataset: Dataset,
    past: Past,
    config: EvaluationConfig,
) -> FunnelFindings:
    """Looks into the funnel on the question that it was measured on.

    Args:
        funnel: that was measured.
        result: of it, of at least one user.
        dataset: whose items have categories.
        past: as of the question's moment.
        config: cut-off, resamples and seed.
    """
    question, k = result.question, config.k
    # As long as the lists that were asked for: sources may propose more for longer.
    considered = funnel.probe.considered(question, result.lists.shape[1])
    attribution = attribution_of(
        question, result.lists[:, :k], considered, funnel.probe.known
    )
    sample = sample_of(question, SAMPLED_USERS, config.seed)
    spread: dict[float, np.ndarray] = {}

    def lists_at(diversity: float) -> np.ndarray:
        spread[diversity] = funnel.served.lists(sample, k, diversity=diversity)
        return spread[diversity]

    curve = diversity_curve(
        lists_at, sample, config, categories_of(dataset), past.content, past.items
    )
    drawn = np.isin(question.user, sample.user)
    shown = {"ranked": spread[0.0], "diversified": spread[SPREAD]}
    events = np.bincount(past.item, minlength=past.items)
    stages = stages_of(sample, considered.of(drawn), shown)
    return FunnelFindings(
        attribution=attribution,
        users=len(sample.user),
        curve=curve,
        stages={name: bias_of(rows, events) for name, rows in stages.items()},
    )


def categories_of(dataset: Dataset) -> dict[str, np.ndarray]:
    """Returns the items' categorical features, bytes `[items]` each."""
    features = dataset.spec.of(Role.CANDIDATE, Kind.CATEGORICAL)
    return {feature.name: dataset.catalogue[feature.name] for feature in features}
