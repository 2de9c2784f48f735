"""Where purchases are lost: each is charged to the first stage that lets go of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.evaluation.funnel.probe import Considered
from tfrs_app.evaluation.metrics import hits_of
from tfrs_app.evaluation.protocol import ItemSets, Question

UNITS = 2**30
"""Shares are whole multiples of 1 / UNITS, so that they add up to 1 without error."""
BASE = 2**32
"""More than there are catalogue rows, which are int32."""


class Fate(StrEnum):
    """What became of a purchase, in the order of the stages."""

    NOT_IN_CATALOGUE = "not_in_catalogue"
    BARRED = "barred"
    NOT_PROPOSED = "not_proposed"
    RANKED_LOW = "ranked_low"
    LISTED = "listed"


@dataclass(frozen=True)
class SourceRecall:
    """Holds what share of the purchases a source proposes.

    Args:
        recall: share of all purchases.
        alone: share of all purchases that no other source proposes.
        candidates: that the source proposes to a user, averaged.
    """

    recall: float
    alone: float
    candidates: float


@dataclass(frozen=True)
class Attribution:
    """Holds what became of all purchases of a question.

    Args:
        counts: fate -> number of purchases.
        listable: purchases that lists of this length could hold at most.
        sources: source, or `all` of them, -> what it proposes.
    """

    counts: Mapping[Fate, int]
    listable: int
    sources: Mapping[str, SourceRecall]

    @property
    def shares(self) -> dict[Fate, float]:
        """Returns each fate's share; in any order they add up to exactly 1."""
        shares = exact_shares([*self.counts.values()])
        return dict(zip(self.counts, shares, strict=True))


def attribution_of(
    question: Question,
    lists: np.ndarray,
    considered: Considered,
    served: np.ndarray,
) -> Attribution:
    """Charges every purchase to one stage.

    Args:
        question: that was asked.
        lists: int64 `[users, k]`, as served.
        considered: candidates that the lists were made of.
        served: bool `[items]`, what the served model knows.
    """
    fates = fates_of(question, lists, considered, served)
    counts = {fate: int((fates == fate).sum()) for fate in Fate}
    listable = int(np.minimum(question.targets.sizes, lists.shape[1]).sum())
    return Attribution(counts, listable, sources_of(question, considered))


def fates_of(
    question: Question, lists: np.ndarray, considered: Considered, served: np.ndarray
) -> np.ndarray:
    """Returns what became of each target, `Fate` objects `[targets]`."""
    targets = question.targets
    pairs = _pairs(targets)
    proposed = np.isin(pairs, _keys(considered.row))
    # The first that holds is the fate.
    stages = [
        (np.isin(pairs, _keys(lists)), Fate.LISTED),
        (~served[targets.items], Fate.NOT_IN_CATALOGUE),
        (np.isin(pairs, _pairs(question.excluded)), Fate.BARRED),
        (~proposed, Fate.NOT_PROPOSED),
    ]
    fates = np.full(len(pairs), Fate.RANKED_LOW, object)
    for holds, fate in reversed(stages):
        fates[holds] = fate
    return fates


def sources_of(question: Question, considered: Considered) -> dict[str, SourceRecall]:
    """Returns what each source and all of them together propose of the targets."""
    splits, items = question.targets.splits, question.targets.items
    found = hits_of(considered.row, splits, items)
    purchases, users = max(len(items), 1), max(len(question.user), 1)
    proposers = considered.proposed.sum(axis=2)
    recalls = {}
    for place, name in enumerate(SOURCES):
        own = considered.proposed[..., place]
        recalls[name] = SourceRecall(
            recall=float((found & own).sum() / purchases),
            alone=float((found & own & (proposers == 1)).sum() / purchases),
            candidates=float(own.sum() / users),
        )
    union = float(found.sum() / purchases)
    real = float((considered.row >= 0).sum() / users)
    return recalls | {"all": SourceRecall(union, union, real)}


def exact_shares(counts: Sequence[int]) -> list[float]:
    """Returns shares that add up to exactly 1 in any order; all 0 if nothing counts.

    Each is right to 1 / UNITS, but for the greatest, which takes the rest.
    """
    total = sum(counts)
    if not total:
        return [0.0] * len(counts)
    units = [count * UNITS // total for count in counts]
    units[units.index(max(units))] += UNITS - sum(units)
    return [one / UNITS for one in units]


def _pairs(sets: ItemSets) -> np.ndarray:
    """Returns one number for each (user of the question, item)."""
    pairs: np.ndarray = sets.owners() * BASE + sets.items
    return pairs


def _keys(rows: np.ndarray) -> np.ndarray:
    """Returns the numbers of listed items `[users, n]`, without what is no item."""
    keys = np.arange(len(rows))[:, np.newaxis] * BASE + rows
    found: np.ndarray = keys[rows >= 0]
    return found
