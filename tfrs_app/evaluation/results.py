"""One model's answers to one question, measured in every way that is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation import lists as of_lists
from tfrs_app.evaluation.baselines.family import Parameters
from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question, Target
from tfrs_app.evaluation.ranking import Scorer, metrics_of, ranked_lists_of
from tfrs_app.evaluation.significance import Interval
from tfrs_app.evaluation.slices import slices_of

CURVE = (1, 2, 5, 10, 20, 50, 100)
"""The lengths at which the recall curve is drawn."""
COLD_CANDIDATES = "cold_candidates"


@dataclass(frozen=True)
class SliceResult:
    """Holds the mean metrics of a slice and how many users it asks."""

    users: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Result:
    """Holds what one model achieved on one target of the test window.

    Args:
        model: its name.
        target: of the question.
        metrics: means over users.
        parameters: that tuning chose; empty for models that are not tuned here.
        validation: the NDCG that chose them; None without tuning.
        question: that was asked.
        lists: int64 `[users, k]`, catalogue rows, best first; -1 is no item.
        per_user: metric -> float64 `[users]`, in the question's order.
        intervals: metric -> 95 % interval of its mean.
        list_metrics: coverage, novelty, diversity and gini of the first k.
        slices: name -> metrics of a part; `cold_candidates` has lists of its own.
        curve: length -> recall.
        exposure: share of the entries in each popularity bin, most popular first.
    """

    model: str
    target: Target
    metrics: Mapping[str, float]
    parameters: Parameters
    question: Question
    lists: np.ndarray
    per_user: Mapping[str, np.ndarray]
    validation: float | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    list_metrics: Mapping[str, float] = field(default_factory=dict)
    slices: Mapping[str, SliceResult] = field(default_factory=dict)
    curve: Mapping[int, float] = field(default_factory=dict)
    exposure: tuple[float, ...] = ()


def measure(
    model: str,
    scorer: Scorer,
    questions: list[Question],
    past: Past,
    config: EvaluationConfig,
) -> list[Result]:
    """Asks a model questions of one moment and measures the lists.

    Args:
        model: its name.
        scorer: answers.
        questions: the first asks every user.
        past: what was known at their moment.
        config: the cut-offs.
    """
    cold = past.users_an_item == 0
    among_cold = [question.among(cold) for question in questions]
    longest = max(*config.ks, config.k, *CURVE)
    lists = ranked_lists_of(scorer, [*questions, *among_cold], longest)
    results = []
    for number, question in enumerate(questions):
        cold_lists = lists[len(questions) + number]
        cold_metrics = metrics_of(cold_lists, among_cold[number], config.ks)
        on_cold = SliceResult(len(cold_lists), mean_of(cold_metrics))
        result = _measured(model, question, lists[number], past, config, on_cold)
        results.append(result)
    return results


def _measured(
    model: str,
    question: Question,
    lists: np.ndarray,
    past: Past,
    config: EvaluationConfig,
    on_cold: SliceResult,
) -> Result:
    per_user = metrics_of(lists, question, sorted({*config.ks, config.k}))
    recall = metrics_of(lists, question, CURVE)
    slices = {
        part.name: SliceResult(len(part.question.user), part.metrics(lists, config.ks))
        for part in slices_of(question, past)
    }
    first = lists[:, : config.k]
    exposure = of_lists.exposure_of(first, past.items)
    bins = of_lists.popularity_bins(past.users_an_item)
    return Result(
        model=model,
        target=question.target,
        metrics=mean_of(per_user),
        parameters={},
        question=question,
        lists=lists,
        per_user=per_user,
        list_metrics=_list_metrics(first, exposure, past, config.k),
        slices={**slices, COLD_CANDIDATES: on_cold},
        curve={k: mean_of(recall)[f"recall@{k}"] for k in CURVE},
        exposure=tuple(of_lists.exposure_by_popularity(exposure, bins)),
    )


def _list_metrics(
    lists: np.ndarray, exposure: np.ndarray, past: Past, k: int
) -> dict[str, float]:
    users = past.users_an_item
    found = {
        f"coverage@{k}": of_lists.coverage(exposure),
        f"novelty@{k}": of_lists.novelty(lists, users, past.users),
        f"gini@{k}": of_lists.gini(exposure),
    }
    if past.content is not None:
        found[f"diversity@{k}"] = of_lists.diversity(lists, past.content)
    return found
