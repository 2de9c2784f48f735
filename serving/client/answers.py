"""Answers as a shop's page reads them, and what makes one unbelievable."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from serving.client.errors import WrongAnswer
from serving.tensor_codec import Array

ITEM_ID = "item_id"
SCORE = "score"
LIFT = "lift"
RELEVANCE = "relevance"
SOURCE = "source"
REASON = "reason_item_id"
PROBABILITY = "probability_"
FATE = "fate"
PLACE = "place"
RANK = "rank"
RETRIEVAL_RANK = "retrieval_rank"
SOURCES = "sources"
LEFT_OUT = "left_out_item_id"
EFFECT = "effect"

_ROWS_AND_ITEMS = 2
"""Dimensions that every output has at least."""


@dataclass(frozen=True)
class Item:
    """Describes an item of a list.

    Attributes:
        item_id: as the shop's tables have it.
        score: what the list is ordered by; of a basket's complement its lift.
        probabilities: of each event type, by models with a ranker.
        source: what proposed it.
        reason_item_id: the item of the history that counted most.
        relevance: of `search`, how near the words are.
    """

    item_id: str
    score: float
    probabilities: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    reason_item_id: str = ""
    relevance: float | None = None


@dataclass(frozen=True)
class ItemList:
    """Holds items, the best first.

    Attributes:
        items: without the blanks that fill up a batch.
        degraded: whether it is the fallback and not the model's answer.
        why: what went wrong, if it is.
    """

    items: tuple[Item, ...]
    degraded: bool = False
    why: str = ""

    @property
    def item_ids(self) -> list[str]:
        """Returns the ids alone."""
        return [item.item_id for item in self.items]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class Explanation:
    """Tells what becomes of an item, and why; docs/serving.md says it at length.

    Attributes:
        item_id: as asked.
        fate: `listed`, `outranked`, `excluded`, ...
        place: on the list, from 1; 0 for none.
        rank: among the candidates by score; 0 for none.
        retrieval_rank: among all items by the towers; 0 for none.
        sources: what proposed it.
        score: of the ranker.
        probabilities: of each event type.
        reason_item_id: the item of the history with the greatest effect.
        effects: what the score would lose without an item of the history, by its id.
    """

    item_id: str
    fate: str
    place: int
    rank: int
    retrieval_rank: int
    sources: tuple[str, ...]
    score: float
    probabilities: Mapping[str, float]
    reason_item_id: str
    effects: Mapping[str, float]


def read_lists(
    outputs: Mapping[str, Array],
    *,
    rows: int,
    k: int,
    excluded: Sequence[Container[str]] = (),
    catalogue: Container[str] | None = None,
) -> list[ItemList]:
    """Returns one list a row.

    Args:
        outputs: of a signature that lists items, `[rows, columns]` each.
        rows: how many were asked for.
        k: the longest list that was asked for.
        excluded: what each row must not list; empty: nothing.
        catalogue: what may be listed; None: anything.

    Raises:
        WrongAnswer: rows are missing, a list is too long, a number of a listed item is
            NaN or infinite, or an item must not be there.
    """
    score = SCORE if SCORE in outputs else LIFT
    ids = _found(outputs, ITEM_ID, rows)
    _found(outputs, score, rows)
    for name, array in outputs.items():
        _check_shape(name, array, ids.shape)
    if ids.shape[1] > k:
        raise WrongAnswer(f"lists of {ids.shape[1]} items, at most {k} were asked for")
    _check_numbers(outputs, np.asarray(ids != "", bool))
    lists = []
    for row in range(rows):
        items = tuple(
            _item(outputs, score, row, place)
            for place in range(ids.shape[1])
            if ids[row, place]
        )
        _check_items(items, excluded[row] if excluded else (), catalogue)
        lists.append(ItemList(items))
    return lists


def read_explanations(
    outputs: Mapping[str, Array], item_ids: Sequence[str]
) -> list[Explanation]:
    """Returns what a batch of one request tells of each item.

    Raises:
        WrongAnswer: rows or items are missing, or a number is NaN or infinite.
    """
    for name in (FATE, PLACE, RANK, RETRIEVAL_RANK, SOURCES, SCORE, REASON):
        _check_shape(name, _found(outputs, name, 1), (1, len(item_ids)))
    left_out = _found(outputs, LEFT_OUT, 1)
    effects = _found(outputs, EFFECT, 1)
    _check_shape(EFFECT, effects, (1, len(item_ids), *left_out.shape[1:]))
    _check_numbers(outputs, np.ones((1, len(item_ids)), bool))
    return [_explanation(outputs, n, item) for n, item in enumerate(item_ids)]


def _item(outputs: Mapping[str, Array], score: str, row: int, place: int) -> Item:
    def told(name: str) -> str:
        return str(outputs[name][row, place]) if name in outputs else ""

    relevance = outputs.get(RELEVANCE)
    return Item(
        item_id=str(outputs[ITEM_ID][row, place]),
        score=float(outputs[score][row, place]),
        probabilities=_probabilities(outputs, row, place),
        source=told(SOURCE),
        reason_item_id=told(REASON),
        relevance=None if relevance is None else float(relevance[row, place]),
    )


def _explanation(outputs: Mapping[str, Array], n: int, item_id: str) -> Explanation:
    left_out, effects = outputs[LEFT_OUT][0], outputs[EFFECT][0, n]
    return Explanation(
        item_id=item_id,
        fate=str(outputs[FATE][0, n]),
        place=int(outputs[PLACE][0, n]),
        rank=int(outputs[RANK][0, n]),
        retrieval_rank=int(outputs[RETRIEVAL_RANK][0, n]),
        sources=tuple(filter(None, str(outputs[SOURCES][0, n]).split(","))),
        score=float(outputs[SCORE][0, n]),
        probabilities=_probabilities(outputs, 0, n),
        reason_item_id=str(outputs[REASON][0, n]),
        effects={
            str(item): float(effect)
            for item, effect in zip(left_out, effects, strict=True)
            if item
        },
    )


def _probabilities(
    outputs: Mapping[str, Array], row: int, place: int
) -> dict[str, float]:
    return {
        name.removeprefix(PROBABILITY): float(array[row, place])
        for name, array in outputs.items()
        if name.startswith(PROBABILITY)
    }


def _found(outputs: Mapping[str, Array], name: str, rows: int) -> Array:
    if name not in outputs:
        raise WrongAnswer(f"the answer lacks the output {name!r}")
    array = outputs[name]
    if array.ndim < _ROWS_AND_ITEMS:
        raise WrongAnswer(f"output {name!r} has shape {list(array.shape)}, not rows")
    if len(array) != rows:
        raise WrongAnswer(f"output {name!r} has {len(array)} rows, not {rows}")
    return array


def _check_shape(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise WrongAnswer(
            f"output {name!r} has shape {list(array.shape)}, not {list(shape)}"
        )


def _check_numbers(outputs: Mapping[str, Array], real: Array) -> None:
    """Raises WrongAnswer unless the numbers of real places `[rows, n]` are finite."""
    for name, array in outputs.items():
        if array.shape[: real.ndim] != real.shape:
            continue  # of another kind, like the items left out of a history
        if array.dtype.kind == "f" and not np.isfinite(array[real]).all():
            raise WrongAnswer(f"output {name!r} holds NaN or infinity")


def _check_items(
    items: Sequence[Item], excluded: Container[str], catalogue: Container[str] | None
) -> None:
    for item in items:
        if item.item_id in excluded:
            raise WrongAnswer(f"item {item.item_id!r} is listed, but was excluded")
        if catalogue is not None and item.item_id not in catalogue:
            raise WrongAnswer(f"item {item.item_id!r} is not in the catalogue")
