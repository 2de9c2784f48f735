"""Who takes part, under which title, and in which environment each runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FUNNEL = "funnel"

Environment = Literal[".venv-peers", ".venv"]


@dataclass(frozen=True)
class Rival:
    """Names a rival.

    Args:
        name: of its module below `models`, or of a part of ours.
        title: in tables.
        environment: whose Python runs it.
        ours: whether it is a part of ours.
    """

    name: str
    title: str
    environment: Environment = ".venv-peers"
    ours: bool = False


RIVALS = (
    Rival("item_knn", "item-kNN (implicit)"),
    Rival("als", "ALS (implicit)"),
    Rival("bpr", "BPR (implicit)"),
    Rival("ease", "EASE (RecTools)"),
    Rival("lightfm_warp", "LightFM (WARP)"),
    Rival("sasrec", "SASRec (RecTools)"),
    Rival("keras_rs_two_tower", "KerasRS two-tower"),
    Rival("tfrs_tutorial", "TFRS tutorial two-tower", ".venv"),
    Rival("towers", "ours, towers alone", ".venv", ours=True),
    Rival(FUNNEL, "**ours, the whole funnel**", ".venv", ours=True),
)
