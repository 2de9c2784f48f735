"""The judge: metrics of everybody's lists, in NumPy and from the definitions alone.

Imports no rival, ours included. Relevance is binary; a list is best first and -1 stands
where it is short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 20
KS = (20, 100)


@dataclass(frozen=True)
class Answers:
    """Holds what the users of one target bought, and what may not be listed.

    Args:
        user: int `[users]`.
        targets: the items that each user bought.
        excluded: the items that no list of the user may hold.
    """

    user: np.ndarray
    targets: list[frozenset[int]]
    excluded: list[frozenset[int]]

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], target: str) -> Answers:
        """Takes one target's part of a file of answers."""
        return cls(
            user=arrays[f"{target}_user"],
            targets=_sets(arrays[f"{target}_splits"], arrays[f"{target}_items"]),
            excluded=_sets(
                arrays[f"{target}_excluded_splits"], arrays[f"{target}_excluded_items"]
            ),
        )

    def of_users(self, rows: np.ndarray) -> Answers:
        """Returns the answers of some users, by their position."""
        return Answers(
            user=self.user[rows],
            targets=[self.targets[row] for row in rows],
            excluded=[self.excluded[row] for row in rows],
        )


def check(lists: np.ndarray, answers: Answers, items: int) -> None:
    """Refuses lists that break the rules.

    Raises:
        ValueError: a list holds an item twice, an excluded one or one that is not in
            the catalogue, or there is not one list a user.
    """
    if len(lists) != len(answers.user):
        raise ValueError(f"{len(answers.user)} users have {len(lists)} lists")
    for user, row, excluded in zip(answers.user, lists, answers.excluded, strict=True):
        listed = [int(item) for item in row if item >= 0]
        if len(set(listed)) != len(listed):
            raise ValueError(f"the list of user {user} holds an item twice")
        if not excluded.isdisjoint(listed):
            raise ValueError(f"the list of user {user} holds an excluded item")
        if any(item >= items for item in listed):
            raise ValueError(f"the list of user {user} holds an unknown item")


def metrics_of(lists: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
    """Returns each metric of each user, float64 `[users]`."""
    rows = [
        _of_one([int(item) in bought for item in row], len(bought))
        for row, bought in zip(lists, answers.targets, strict=True)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def interval_of(draws: np.ndarray) -> tuple[float, float]:
    """Returns the percentile interval of resampled values."""
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def resampled_means(values: np.ndarray) -> np.ndarray:
    """Returns means over users drawn with replacement, float64 `[RESAMPLES]`.

    Everybody's draws are the same, so differences of two rivals' means are paired.
    """
    random = np.random.default_rng(SEED)
    users = len(values)
    return np.array(
        [values[random.integers(users, size=users)].mean() for _ in range(RESAMPLES)]
    )


def _of_one(hits: list[bool], bought: int) -> dict[str, float]:
    metrics = {}
    for k in KS:
        gain = sum(1 / np.log2(rank + 1) for rank, hit in _ranked(hits[:k]) if hit)
        ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(bought, k) + 1))
        metrics[f"ndcg@{k}"] = gain / ideal
        metrics[f"recall@{k}"] = sum(hits[:k]) / bought
    first = next((rank for rank, hit in _ranked(hits) if hit), None)
    return metrics | {"mrr": 1 / first if first else 0.0}


def _ranked(hits: list[bool]) -> list[tuple[int, bool]]:
    return list(enumerate(hits, start=1))


def _sets(splits: np.ndarray, items: np.ndarray) -> list[frozenset[int]]:
    return [frozenset(items[start:end].tolist()) for start, end in pairwise(splits)]
