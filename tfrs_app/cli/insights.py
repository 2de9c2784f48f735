"""What `evaluate` finds out beyond the metrics, inside the funnel above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfrs_app.cli.evaluation import FUNNEL, RETRIEVAL, Contestants
from tfrs_app.cli.stages import Stages
from tfrs_app.progress import watched

if TYPE_CHECKING:
    from tfrs_app.evaluation.comparison import Comparison, Contest
    from tfrs_app.evaluation.funnel.findings import FunnelFindings
    from tfrs_app.evaluation.insights import Insights, Newcomers
    from tfrs_app.evaluation.protocol import Target
    from tfrs_app.evaluation.reliability import Reliability
    from tfrs_app.evaluation.served import ServedFunnel
    from tfrs_app.models.ranking import RankingModel


def insights_of(
    stages: Stages, contest: Contest, comparison: Comparison, found: Contestants
) -> Insights:
    """Returns all that stands beside the results.

    Args:
        stages: of the shop.
        contest: that was held.
        comparison: what came of it.
        found: the models.
    """
    from tfrs_app.evaluation.insights import Insights
    from tfrs_app.evaluation.protocol import Target

    asked = [target for target in Target if comparison.of(target)]
    newcomers = {t: _newcomers(contest, comparison, found, t) for t in asked}
    if found.funnel is None or stages.ranker is None:
        return Insights(newcomers=newcomers)
    funnel = {
        (FUNNEL, target): _inside(contest, comparison, found.funnel, target)
        for target in asked
    }
    probabilities = _probabilities(stages, found.funnel, stages.ranker)
    return Insights(funnel, newcomers, probabilities)


def _inside(
    contest: Contest, comparison: Comparison, funnel: ServedFunnel, target: Target
) -> FunnelFindings:
    """Returns what is found inside the funnel, and tells where purchases are lost."""
    from tfrs_app.evaluation.funnel.findings import find_out

    (result,) = (row for row in comparison.of(target) if row.model == FUNNEL)
    found = find_out(
        funnel, result, contest.dataset, contest.before_test, contest.config
    )
    shares = found.attribution.shares.items()
    told = ", ".join(f"{fate.replace('_', ' ')} {share:.1%}" for fate, share in shares)
    contest.report(f"{FUNNEL}, purchases of {target}: {told}")
    return found


def _newcomers(
    contest: Contest, comparison: Comparison, found: Contestants, target: Target
) -> Newcomers:
    """Returns how good models are that see a part of each history."""
    from tfrs_app.evaluation.few_events import with_few_events
    from tfrs_app.evaluation.funnel.diversity import sample_of
    from tfrs_app.evaluation.funnel.findings import SAMPLED_USERS
    from tfrs_app.evaluation.insights import Newcomers
    from tfrs_app.evaluation.newcomers import (
        baselines_showing,
        served_showing,
        towers_showing,
    )

    rows, config = comparison.of(target), contest.config
    models = baselines_showing(rows, contest.before_test)
    models[RETRIEVAL] = towers_showing(found.towers)
    if found.funnel is not None:
        models[FUNNEL] = served_showing(found.funnel.served)
    sample = sample_of(rows[0].question, SAMPLED_USERS, config.seed)
    return Newcomers(len(sample.user), with_few_events(models, sample, config))


def _probabilities(
    stages: Stages, funnel: ServedFunnel, ranker: RankingModel
) -> list[Reliability]:
    """Returns how the ranker's probabilities came true: as fitted, and as served."""
    from tfrs_app.evaluation.funnel.diversity import sample_of
    from tfrs_app.evaluation.funnel.findings import SAMPLED_USERS
    from tfrs_app.evaluation.protocol import everybody
    from tfrs_app.evaluation.reliability import on_test
    from tfrs_app.layers.inputs import SECONDS_PER_DAY
    from tfrs_app.training.held_out import held_out_reliability
    from tfrs_app.training.runs import EARLIER_WEIGHTS, load_retrieval

    encoded, config = stages.encoded, stages.config.evaluation
    log, split = encoded.dataset.events, encoded.dataset.split
    earlier = load_retrieval(stages.run_folder, encoded, weights=EARLIER_WEIGHTS)
    with watched("probabilities of held-out users"):
        fitted = held_out_reliability(encoded, earlier, ranker)
    until_s = split.test_start + round(ranker.config.horizon_days * SECONDS_PER_DAY)
    question = sample_of(everybody(log, split.test_start), SAMPLED_USERS, config.seed)
    types = encoded.dataset.spec.event_types
    return fitted + on_test(
        log,
        {task: types.index(task) for task in ranker.tasks},
        question,
        funnel.probe.considered(question, config.k),
        until_s if split.test_end is None else min(until_s, split.test_end),
    )
