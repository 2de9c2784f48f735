"""What a peer is given, what it must do, and how it is tuned.

A peer is a module of `benchmarks.peers.models` with

* `PACKAGES`, the distributions that it runs on,
* `SETTINGS`, what tuning tries, in that order, the documented defaults first,
* `fit(data, setting)`, which yields a `Model` after every round of training: once for
  a closed form, after every epoch otherwise.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from benchmarks.peers.files import EVENTS, ITEMS, META, TARGETS, TUNED_AT, VALIDATION
from benchmarks.peers.judge import Answers, metrics_of

Setting = Mapping[str, Any]

BUDGET_CPU_S = 300
"""CPU seconds of tuning after which a peer begins nothing new; the same for all."""
PATIENCE = 2
"""Rounds without a better list of either target after which a setting ends."""
SEED = 42
THREADS = 2


class Model(Protocol):
    """Answers for users."""

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, best first, int `[users, k]`; -1: none.

        Args:
            users: rows of the data.
            k: length of the lists.
            new_only: whether items that the user had are left out.
        """


class Peer(Protocol):
    """Fits models."""

    PACKAGES: Sequence[str]
    SETTINGS: Sequence[Setting]

    def fit(self, data: Data, setting: Setting) -> Iterator[Model]:
        """Yields the model after each round of training."""


@dataclass(frozen=True)
class Data:
    """Holds what may be known at a moment.

    Args:
        users: how many there are; a user is a row.
        items: how many the catalogue has; an item is a row.
        user: int32 `[events]`, purchases before the moment, each user's by time.
        item: int32 `[events]`.
        timestamp: int64 `[events]`, seconds since the epoch.
        features: categorical feature -> code of each item's value, int32 `[items]`.
    """

    users: int
    items: int
    user: np.ndarray
    item: np.ndarray
    timestamp: np.ndarray
    features: Mapping[str, np.ndarray]

    @classmethod
    def before(cls, folder: Path, moment_s: int) -> Data:
        """Reads what was known at a moment."""
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        with np.load(folder / EVENTS) as events, np.load(folder / ITEMS) as items:
            known = events["timestamp"] < moment_s
            return cls(
                users=meta["users"],
                items=meta["items"],
                user=events["user"][known],
                item=events["item"][known],
                timestamp=events["timestamp"][known],
                features=dict(items),
            )

    @cached_property
    def counts(self) -> sp.csr_matrix:
        """Returns how often each user bought each item, float32 `[users, items]`."""
        ones = np.ones(len(self.user), np.float32)
        shape = (self.users, self.items)
        matrix = sp.csr_matrix((ones, (self.user, self.item)), shape)
        matrix.sum_duplicates()
        return matrix

    def weighted(self, weight: str) -> sp.csr_matrix:
        """Returns the counts as `binary`, `log` (1 + ln count) or `count`."""
        matrix = self.counts.copy()
        if weight == "binary":
            matrix.data[:] = 1
        elif weight == "log":
            matrix.data = 1 + np.log(matrix.data)
        return matrix

    def once(self) -> Data:
        """Returns the data with the first purchase of each pair only."""
        key = self.user.astype(np.int64) * self.items + self.item
        kept = np.sort(np.unique(key, return_index=True)[1])
        return Data(
            users=self.users,
            items=self.items,
            user=self.user[kept],
            item=self.item[kept],
            timestamp=self.timestamp[kept],
            features=self.features,
        )


@dataclass(frozen=True)
class Choice:
    """Holds the setting that tuning chose.

    Args:
        setting: of the peer.
        rounds: of training.
        ndcg: on the validation window.
    """

    setting: Setting
    rounds: int
    ndcg: float


def peer_of(name: str) -> Peer:
    """Returns the module of a peer."""
    peer: Peer = import_module(f"benchmarks.peers.models.{name}")
    return peer


def tune(peer: Peer, folder: Path) -> dict[str, Any]:
    """Tries settings in their order until the budget is spent.

    Returns:
        What was tried, what each target chose and the CPU seconds that it took.
    """
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    data = Data.before(folder, meta["validation_start"])
    with np.load(folder / VALIDATION) as arrays:
        answers = {target: Answers.of(arrays, target) for target in TARGETS}
    best: dict[str, Choice] = {}
    tried: list[dict[str, Any]] = []
    began = time.process_time()
    for setting in peer.SETTINGS:
        if tried and time.process_time() - began > BUDGET_CPU_S:
            break
        rounds: list[dict[str, float]] = []
        for number, model in enumerate(peer.fit(data, setting), start=1):
            ndcg = {t: quality(model, answers[t], t) for t in TARGETS}
            rounds.append(ndcg)
            for target, value in ndcg.items():
                if target not in best or value > best[target].ndcg:
                    best[target] = Choice(setting, number, value)
            spent = time.process_time() - began
            print(f"{spent:.0f} s, {setting}, round {number}: {ndcg}", flush=True)
            if spent > BUDGET_CPU_S or stalled(rounds):
                break
        tried.append({"setting": dict(setting), "ndcg": rounds})
    return {
        "tried": tried,
        "not_tried": [dict(s) for s in peer.SETTINGS[len(tried) :]],
        "chosen": {target: vars(choice) for target, choice in best.items()},
        "cpu_s": time.process_time() - began,
    }


def quality(model: Model, answers: Answers, target: str) -> float:
    """Returns the NDCG that chooses settings."""
    lists = listed(model, answers.user, TUNED_AT, target)
    return float(metrics_of(lists, answers)[f"ndcg@{TUNED_AT}"].mean())


def listed(model: Model, users: np.ndarray, k: int, target: str) -> np.ndarray:
    """Returns the lists of many users, some at a time."""
    new_only = target == "first_purchase"
    parts = np.array_split(users, max(1, len(users) // 256))
    return np.concatenate([model.recommend(p, k, new_only=new_only) for p in parts])


def fitted(peer: Peer, data: Data, choice: Choice) -> Model:
    """Trains a chosen setting for its rounds.

    Raises:
        ValueError: the peer ends before.
    """
    for number, model in enumerate(peer.fit(data, choice.setting), start=1):
        if number == choice.rounds:
            return model
    raise ValueError(f"{choice.setting} has fewer than {choice.rounds} rounds")


def stalled(rounds: Sequence[Mapping[str, float]]) -> bool:
    """Tells whether no target was better in the last rounds than before them."""
    if len(rounds) <= PATIENCE:
        return False
    earlier, later = rounds[:-PATIENCE], rounds[-PATIENCE:]
    return all(
        max(r[target] for r in later) <= max(r[target] for r in earlier)
        for target in TARGETS
    )
