"""Chooses each baseline's parameters by the validation window, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tfrs_app.evaluation.baselines.family import Family, Parameters, Value
from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question, Target
from tfrs_app.evaluation.ranking import metrics_of, ranked_lists_of
from tfrs_app.progress import watched

Point = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Tuned:
    """Holds what tuning chose for each target.

    Args:
        parameters: with the best validation NDCG.
        validation: that NDCG.
        points: number of parameter combinations that were fitted and measured.
        seconds: that it took.
    """

    parameters: Mapping[Target, Parameters]
    validation: Mapping[Target, float]
    points: int
    seconds: float


def tune(
    family: Family, past: Past, questions: Mapping[Target, Question], k: int
) -> Tuned:
    """Searches one parameter after the other for the best NDCG@k of each target.

    Args:
        family: names the values to try; each parameter starts from its first.
        past: what is known before the validation window.
        questions: of the validation window; the first asks every user.
        k: the cut-off.
    """
    started = time.perf_counter()
    measured: dict[Point, dict[Target, float]] = {}

    def score(parameters: Parameters, target: Target) -> float:
        point = tuple(parameters.items())
        if point not in measured:
            measured[point] = _ndcg(family, parameters, past, questions, k)
        return measured[point][target]

    chosen: dict[Target, Parameters] = {}
    with watched(f"tuning {family.name}", "points", done=lambda: len(measured)):
        for target in questions:
            best = {name: values[0] for name, values in family.values.items()}
            for name, values in family.values.items():
                tried = [{**best, name: value} for value in values]
                best = max(tried, key=lambda parameters: score(parameters, target))
            chosen[target] = best
    validation = {target: score(best, target) for target, best in chosen.items()}
    seconds = time.perf_counter() - started
    return Tuned(chosen, validation, len(measured), seconds)


def _ndcg(
    family: Family,
    parameters: Parameters,
    past: Past,
    questions: Mapping[Target, Question],
    k: int,
) -> dict[Target, float]:
    scorer = family.fit(past, **parameters)
    lists = ranked_lists_of(scorer, list(questions.values()), k)
    return {
        target: mean_of(metrics_of(ranked, question, (k,)))[f"ndcg@{k}"]
        for ranked, (target, question) in zip(lists, questions.items(), strict=True)
    }
