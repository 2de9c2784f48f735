"""How much each stage of the funnel favours what is popular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.evaluation.funnel.probe import Considered
from tfrs_app.evaluation.lists import exposure_of, gini
from tfrs_app.evaluation.protocol import Question

HEADS = (0.01, 0.2)
"""Shares of the catalogue, the items with most past events, that are called head."""


@dataclass(frozen=True)
class StageBias:
    """Holds what one stage shows of the catalogue.

    Args:
        entries: items a user, averaged.
        gini: inequality of exposure over the catalogue.
        head: share of the catalogue -> share of the entries that it has.
    """

    entries: float
    gini: float
    head: Mapping[float, float]


def stages_of(
    question: Question, considered: Considered, lists: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns the rows that each stage shows each user, `[users, any]`; -1 is none.

    Args:
        question: whose targets are what the users bought themselves.
        considered: the candidates.
        lists: further stages.
    """
    sizes = question.targets.sizes
    bought = np.full((len(sizes), sizes.max(initial=0)), -1)
    bought[np.arange(bought.shape[1]) < sizes[:, np.newaxis]] = question.targets.items
    towers = considered.proposed[..., SOURCES.index("two_tower")]
    return {
        "purchases": bought,
        "two_tower": np.where(towers, considered.row, -1),
        "candidates": considered.row,
        **lists,
    }


def bias_of(rows: np.ndarray, events: np.ndarray) -> StageBias:
    """Returns the bias of one stage.

    Args:
        rows: int `[users, n]`, catalogue rows; -1 is no item.
        events: int `[items]`, past events of each item.
    """
    exposure = exposure_of(rows, len(events))
    total = max(int(exposure.sum()), 1)
    order = np.argsort(-events, kind="stable")
    return StageBias(
        entries=float(exposure.sum() / max(len(rows), 1)),
        gini=gini(exposure),
        head={
            share: float(exposure[order[: round(share * len(events))]].sum() / total)
            for share in HEADS
        },
    )
