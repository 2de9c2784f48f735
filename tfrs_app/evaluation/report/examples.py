"""Customers to look at: what they had, what they were shown, what they then bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from tfrs_app.evaluation.metrics import hits_of
from tfrs_app.evaluation.protocol import Question, Target
from tfrs_app.evaluation.report.texts import naming_features, text_of

if TYPE_CHECKING:  # so that the page is drawn without TensorFlow
    from tfrs_app.data.dataset import Dataset
    from tfrs_app.evaluation.comparison import Comparison
    from tfrs_app.evaluation.results import Result

CUSTOMERS = 6
EARLIER = 10
"""Last events of a history that are shown."""
LISTED = 10
BOUGHT = 12
"""Bought items that are shown."""


@dataclass(frozen=True)
class Event:
    """Holds an event of a history: when it was, of which type, of which item."""

    date: str
    event_type: str
    text: str


@dataclass(frozen=True)
class Entry:
    """Holds an item's text and whether it is a hit."""

    text: str
    hit: bool


@dataclass(frozen=True)
class Customer:
    """Holds what the page shows of one customer.

    Args:
        events: number of events before the window.
        history: the last of them, latest first.
        lists: the first items for them, one list a model of `Examples.models`.
        bought: number of items that they then bought.
        then: some of those, first the ones that a list held.
    """

    events: int
    history: tuple[Event, ...]
    lists: tuple[tuple[Entry, ...], ...]
    bought: int
    then: tuple[Entry, ...]


@dataclass(frozen=True)
class Examples:
    """Holds the customers and how they were chosen.

    Args:
        target: that the lists answer.
        models: whose lists are shown, the one under test first.
        customers: in the order in which they were drawn.
        users: number of those from whom they were drawn.
        seed: of the draw.
        hit_share: share of all users with a hit among the first items.
        replaced: whether the last took the place of one, so that both fates are seen.
        several_types: whether the shop logs more than one type of event.
    """

    target: str
    models: tuple[str, ...]
    customers: tuple[Customer, ...]
    users: int
    seed: int
    hit_share: float
    replaced: bool
    several_types: bool


def examples_of(dataset: Dataset, comparison: Comparison, seed: int) -> Examples:
    """Draws customers of the target that is hardest, first purchases, if it has any.

    Args:
        dataset: that the results were measured on.
        comparison: holds the lists.
        seed: of the draw.
    """
    shown = compared(comparison)
    question = shown[0].question
    hits = [_hits(result) for result in shown]
    fortunate = np.asarray(hits[0].any(axis=1))
    chosen, replaced = drawn(fortunate, seed)
    naming = naming_features(dataset.spec)
    texts = Texts(dataset, naming)
    return Examples(
        target=shown[0].target.value,
        models=tuple(result.model for result in shown),
        customers=tuple(texts.customer(question, shown, user) for user in chosen),
        users=len(question.user),
        seed=seed,
        hit_share=float(fortunate.mean()),
        replaced=replaced,
        several_types=len(dataset.spec.event_types) > 1,
    )


def compared(comparison: Comparison) -> list[Result]:
    """Returns the best model under test, and the best baseline, of one target."""
    first = [r for r in comparison.results if r.target is Target.FIRST_PURCHASE]
    asked = [r for r in first if len(r.question.user)]
    rows = asked or [r for r in comparison.results if r.target is Target.ALL]
    judged = [v for v in comparison.verdicts if v.target is rows[0].target]
    if not judged:
        return rows[:1]
    metric = judged[0].metric
    models = [row for row in rows if row.model in {v.model for v in judged}]
    best = {v.rival for v in judged if v.best and v.metric == metric}
    rivals = [row for row in rows if row.model in best]
    return [max(models, key=lambda row: row.metrics[metric]), *rivals[:1]]


def drawn(hit: np.ndarray, seed: int, count: int = CUSTOMERS) -> tuple[list[int], bool]:
    """Returns users drawn at random, among them one with a hit and one without.

    Where chance draws no such user, the next that it would draw replaces the last.

    Args:
        hit: bool `[users]`.
        seed: of the draw.
        count: number of users, at least two.

    Returns:
        Their positions, at most so many, and whether one was replaced.
    """
    order = np.random.default_rng(seed).permutation(len(hit))
    chosen, rest = order[:count].tolist(), order[count:]
    for wanted in (True, False):
        missing = not (hit[chosen] == wanted).any()
        others = rest[hit[rest] == wanted]
        if missing and len(others):
            return [*chosen[:-1], int(others[0])], True
    return chosen, False


def _hits(result: Result) -> np.ndarray:
    targets = result.question.targets
    return hits_of(result.lists[:, :LISTED], targets.splits, targets.items)


@dataclass(frozen=True)
class Texts:
    """Writes customers with the texts of a dataset's items.

    Args:
        dataset: with catalogue and events.
        naming: the features that items are called by.
    """

    dataset: Dataset
    naming: Sequence[str]

    def customer(
        self, question: Question, shown: Sequence[Result], user: int
    ) -> Customer:
        """Returns what the page shows of a user of the question."""
        lists = [result.lists[user, :LISTED] for result in shown]
        bought = question.targets.of(np.arange(len(question.user)) == user).items
        found = np.isin(bought, np.concatenate(lists))
        ordered = bought[np.argsort(~found, kind="stable")]
        start, end = question.history_start[user], question.history_end[user]
        return Customer(
            events=int(end - start),
            history=tuple(
                self._event(place)
                for place in range(end - 1, max(start, end - EARLIER) - 1, -1)
            ),
            lists=tuple(self._entries(listed, bought) for listed in lists),
            bought=len(bought),
            then=self._entries(ordered[:BOUGHT], np.concatenate(lists)),
        )

    def _event(self, place: int) -> Event:
        log = self.dataset.events
        moment = datetime.fromtimestamp(int(log.timestamp[place]), UTC)
        event_type = self.dataset.spec.event_types[log.event_type[place]]
        text = self._text(log.item[place])
        return Event(moment.date().isoformat(), event_type, text)

    def _entries(self, items: np.ndarray, wanted: np.ndarray) -> tuple[Entry, ...]:
        hits = np.isin(items, wanted)
        return tuple(
            Entry(self._text(item), bool(hit))
            for item, hit in zip(items, hits, strict=True)
            if item >= 0
        )

    def _text(self, item: int) -> str:
        return text_of(int(item), self.dataset.catalogue, self.naming)
