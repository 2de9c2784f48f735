"""One model's answers to one question, measured in every way that is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation import lists as of_lists
from tfrs_app.evaluation.baselines.family import Parameters
from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question, Target
from tfrs_app.evaluation.ranking import Lister, Scorer, metrics_of, ranked_lists_of
from tfrs_app.evaluation.significance import Interval
from tfrs_app.evaluation.slices import Slice, slices_of

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


@dataclass(frozen=True)
class Exam:
    """Puts one question in every form that is reported, prepared once for all models.

    Args:
        question: on the whole catalogue.
        among_cold: the same with items as candidates that had no event before.
        slices: parts of the question, answered by the lists of the whole.
    """

    question: Question
    among_cold: Question
    slices: Sequence[Slice]

    @classmethod
    def of(cls, question: Question, past: Past) -> Exam:
        """Prepares the forms of a question.

        Args:
            question: of the moment at which the past ends.
            past: tells what is cold, popular or a repetition.
        """
        cold = past.users_an_item == 0
        return cls(question, question.among(cold), slices_of(question, past))


def measure(
    model: str,
    scorer: Scorer | Lister,
    exams: Sequence[Exam],
    past: Past,
    config: EvaluationConfig,
) -> list[Result]:
    """Examines a model and returns a result for each exam.

    Args:
        model: its name.
        scorer: answers.
        exams: of one moment; the first asks every user.
        past: what was known at that moment.
        config: the cut-offs.
    """
    questions = [exam.question for exam in exams]
    questions += [exam.among_cold for exam in exams]
    longest = max(*config.ks, config.k, *CURVE)
    lists = ranked_lists_of(scorer, questions, longest)
    whole, among_cold = lists[: len(exams)], lists[len(exams) :]
    return [
        _measured(model, exam, on_all, on_cold, past, config)
        for exam, on_all, on_cold in zip(exams, whole, among_cold, strict=True)
    ]


def _measured(
    model: str,
    exam: Exam,
    lists: np.ndarray,
    cold_lists: np.ndarray,
    past: Past,
    config: EvaluationConfig,
) -> Result:
    per_user = metrics_of(lists, exam.question, sorted({*config.ks, config.k}))
    recall = mean_of(metrics_of(lists, exam.question, CURVE))
    first = lists[:, : config.k]
    exposure = of_lists.exposure_of(first, past.items)
    bins = of_lists.popularity_bins(past.users_an_item)
    return Result(
        model=model,
        target=exam.question.target,
        metrics=mean_of(per_user),
        parameters={},
        question=exam.question,
        lists=lists,
        per_user=per_user,
        list_metrics=_list_metrics(first, exposure, past, config.k),
        slices=_slice_results(exam, lists, cold_lists, config),
        curve={k: recall[f"recall@{k}"] for k in CURVE},
        exposure=tuple(of_lists.exposure_by_popularity(exposure, bins)),
    )


def _slice_results(
    exam: Exam,
    lists: np.ndarray,
    cold_lists: np.ndarray,
    config: EvaluationConfig,
) -> dict[str, SliceResult]:
    found = {
        part.name: SliceResult(len(part.question.user), part.metrics(lists, config.ks))
        for part in exam.slices
    }
    on_cold = mean_of(metrics_of(cold_lists, exam.among_cold, config.ks))
    return found | {COLD_CANDIDATES: SliceResult(len(cold_lists), on_cold)}


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
