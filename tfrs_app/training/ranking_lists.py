"""Lists of candidates that a ranker learns from and is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from tfrs_app.layers.grouping import NOTHING
from tfrs_app.models.ranking import FEATURES, ROW, VECTORS

LISTS_AT_ONCE = 128
"""That are scored together."""


@dataclass(frozen=True)
class Lists:
    """Holds candidates, what they look like, and what became of them.

    Args:
        user: int64 `[lists]`.
        row: int32 `[lists, n]`, catalogue rows; NOTHING behind the last.
        features: float16 `[lists, n, columns]`.
        label: bool `[lists, n, tasks]`.
        weight: float32 `[lists, n]`, how many candidates each stands for; 0: none.
        query: profile and context `[lists]` each; with target attention the events
            that it weighs `[lists, length]`, padded in front.
        wanted: int64 `[lists]`, items that the weightiest event happened to, whether
            they were proposed or not.
    """

    user: np.ndarray
    row: np.ndarray
    features: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    query: dict[str, np.ndarray]
    wanted: np.ndarray

    def inputs(self, lists: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the ranker's inputs for some lists, `[len(lists), ...]`."""
        query = {name: values[lists] for name, values in self.query.items()}
        return {
            ROW: self.row[lists],
            FEATURES: self.features[lists].astype(np.float32),
            **query,
        }

    def of(self, kept: np.ndarray) -> Lists:
        """Returns some of the lists.

        Args:
            kept: bool or int, an index of the lists.
        """
        query = {name: values[kept] for name, values in self.query.items()}
        return Lists(
            user=self.user[kept],
            row=self.row[kept],
            features=self.features[kept],
            label=self.label[kept],
            weight=self.weight[kept],
            query=query,
            wanted=self.wanted[kept],
        )

    def counting(self, times: np.ndarray) -> Lists:
        """Returns the lists, each counting so many times as much, `[lists]`."""
        return replace(self, weight=self.weight * times[:, np.newaxis])

    @staticmethod
    def joined(parts: list[Lists]) -> Lists:
        """Returns all lists of several parts, padded to one length."""
        longest = max(part.row.shape[1] for part in parts)
        padded = [part._padded(longest) for part in parts]

        def column(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in padded])

        return Lists(
            user=column("user"),
            row=column("row"),
            features=column("features"),
            label=column("label"),
            weight=column("weight"),
            query={
                name: np.concatenate([part.query[name] for part in padded])
                for name in padded[0].query
            },
            wanted=column("wanted"),
        )

    def _padded(self, length: int) -> Lists:
        more = [(0, 0), (0, length - self.row.shape[1])]
        return replace(
            self,
            row=np.pad(self.row, more, constant_values=NOTHING),
            features=np.pad(self.features, [*more, (0, 0)]),
            label=np.pad(self.label, [*more, (0, 0)]),
            weight=np.pad(self.weight, more),
        )

    def thinned(self, negatives: int, random: np.random.Generator) -> Lists:
        """Leaves out candidates that nothing happened to; those left count for them.

        Args:
            negatives: kept in each list, drawn evenly.
            random: draws them.
        """
        happened = self.label.any(axis=2)
        real = self.row != NOTHING
        draw = np.where(real & ~happened, random.random(self.row.shape), np.inf)
        kept = happened | (np.argsort(np.argsort(draw, axis=1), axis=1) < negatives)
        kept &= real
        before, after = (real & ~happened).sum(axis=1), (kept & ~happened).sum(axis=1)
        factor = np.divide(before, after, where=after > 0, out=np.ones(len(before)))
        weight = self.weight * np.where(happened, 1.0, factor[:, np.newaxis]) * kept
        # Those kept come to the front.
        longest = kept.sum(axis=1).max(initial=0)
        order = np.argsort(~kept, axis=1, kind="stable")[:, :longest]
        place = np.arange(len(order))[:, np.newaxis]
        return replace(
            self,
            row=np.where(kept, self.row, NOTHING)[place, order],
            features=self.features[place, order],
            label=self.label[place, order],
            weight=weight[place, order].astype(np.float32),
        )


def logits_of(
    model: Callable[[dict[str, Any]], tf.Tensor], lists: Lists, vectors: np.ndarray
) -> np.ndarray:
    """Returns a ranker's logits of lists, float32 `[lists, n, tasks]`.

    Args:
        model: the ranker.
        lists: whose candidates are judged.
        vectors: of the items, as the ranker's input `VECTORS`.
    """
    told = {VECTORS: tf.constant(vectors)}
    places = np.arange(len(lists.user))
    steps = np.array_split(places, max(1, len(places) // LISTS_AT_ONCE))
    return np.concatenate([model({**told, **lists.inputs(some)}) for some in steps])
