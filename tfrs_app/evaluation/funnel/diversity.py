"""What diversity costs: lists at several settings, asked of the served model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation import lists as of_lists
from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.ranking import metrics_of
from tfrs_app.evaluation.significance import Interval, interval_of, resampled_means

DIVERSITIES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)
SpreadLists = Callable[[float], np.ndarray]
"""A diversity to lists, int64 `[users, k]`; -1 is no item."""


@dataclass(frozen=True)
class DiversityPoint:
    """Holds how good and how varied lists are at one setting.

    Args:
        diversity: that was asked for.
        metrics: `ndcg@k` and `recall@k`, means over users.
        intervals: of those means.
        differences: intervals of each mean less the first setting's, same users.
        list_metrics: `coverage@k`, `gini@k` and, with contents, `diversity@k`.
        distinct: categorical item feature -> mean number of its values in a list.
    """

    diversity: float
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    differences: Mapping[str, Interval]
    list_metrics: Mapping[str, float]
    distinct: Mapping[str, float]


def diversity_curve(
    lists_at: SpreadLists,
    question: Question,
    config: EvaluationConfig,
    categories: Mapping[str, np.ndarray],
    content: sp.csr_matrix | None,
    items: int,
) -> list[DiversityPoint]:
    """Returns a point for each of `DIVERSITIES`.

    Args:
        lists_at: answers the question.
        question: of at least one user.
        config: the cut-off, the resamples and their seed.
        categories: item feature -> values `[items]`, empty bytes for none.
        content: vectors of the items' texts, or None.
        items: size of the catalogue.
    """
    lists = {diversity: lists_at(diversity) for diversity in DIVERSITIES}
    wanted = (f"ndcg@{config.k}", f"recall@{config.k}")
    per_user = {
        (diversity, name): metrics_of(found, question, [config.k])[name]
        for diversity, found in lists.items()
        for name in wanted
    }
    drawn = resampled_means(
        {f"{name} {at}": values for (at, name), values in per_user.items()},
        config.resamples,
        config.seed,
    )
    first = DIVERSITIES[0]
    return [
        DiversityPoint(
            diversity=at,
            metrics=mean_of({name: per_user[at, name] for name in wanted}),
            intervals={name: interval_of(drawn[f"{name} {at}"]) for name in wanted},
            differences={
                name: interval_of(drawn[f"{name} {at}"] - drawn[f"{name} {first}"])
                for name in wanted
            },
            list_metrics=_list_metrics(found, content, items, config.k),
            distinct={name: distinct(found, v) for name, v in categories.items()},
        )
        for at, found in lists.items()
    ]


def distinct(lists: np.ndarray, values: np.ndarray) -> float:
    """Returns how many values the items of a list have, averaged over lists.

    Args:
        lists: int `[users, k]`, -1 is no item.
        values: bytes `[items]`; empty for an item without one, which does not count.
    """
    _, code = np.unique(values, return_inverse=True)
    owner, _ = np.nonzero(lists >= 0)
    item = lists[lists >= 0]
    named = values[item] != b""
    pairs = np.unique(owner[named] * (code.max(initial=0) + 1) + code[item[named]])
    return len(pairs) / max(len(lists), 1)


def _list_metrics(
    lists: np.ndarray, content: sp.csr_matrix | None, items: int, k: int
) -> dict[str, float]:
    exposure = of_lists.exposure_of(lists, items)
    found = {
        f"coverage@{k}": of_lists.coverage(exposure),
        f"gini@{k}": of_lists.gini(exposure),
    }
    if content is not None:
        found[f"diversity@{k}"] = of_lists.diversity(lists, content)
    return found


def sample_of(question: Question, users: int, seed: int) -> Question:
    """Returns the question to some of its users, drawn evenly; all if they are few."""
    everybody = len(question.user)
    asked = np.zeros(everybody, bool)
    order = np.random.default_rng(seed).permutation(everybody)
    asked[order[:users]] = True
    return question.of(asked)
