"""Parts of the users and of the items that a mean over everybody hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfrs_app.evaluation.metrics import mean_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question, Target
from tfrs_app.evaluation.ranking import metrics_of

HEAD_SHARE = 0.5
"""Share of all purchases that the head items make up."""
QUARTER = 0.25


@dataclass(frozen=True)
class Slice:
    """Asks about a part of a question; the lists stay those of the whole.

    Args:
        name: of the slice.
        question: with fewer users or fewer targets.
        users: bool `[users]`, which users of the whole question it asks.
    """

    name: str
    question: Question
    users: np.ndarray

    def metrics(self, lists: np.ndarray, ks: Sequence[int]) -> dict[str, float]:
        """Returns the mean metrics of the whole question's lists on this slice."""
        return mean_of(metrics_of(lists[self.users], self.question, ks))


def slices_of(question: Question, past: Past) -> list[Slice]:
    """Returns the slices of a question, by users and by their targets.

    * `short_history`, `long_history`: the quarters of users with the fewest and the
      most events before the moment (equal lengths stay together);
    * `cold_items`, `warm_items`: targets without, and with, any event before it;
    * `head_items`, `tail_items`: warm targets among the items that make up half of
      all earlier events, and the others;
    * `repeat`, `first`: targets that the user had before, and the others; only where
      the target is `all`.
    """
    length = question.history_end - question.history_start
    events = np.bincount(past.item, minlength=past.items)
    head = head_of(events)
    slices = []
    if len(length):
        few, many = np.quantile(length, [QUARTER, 1 - QUARTER])
        slices.append(_of_users("short_history", question, length <= few))
        slices.append(_of_users("long_history", question, length >= many))
    slices += [
        _of_items("cold_items", question, events == 0),
        _of_items("warm_items", question, events > 0),
        _of_items("head_items", question, head),
        _of_items("tail_items", question, ~head & (events > 0)),
    ]
    if question.target is Target.ALL:
        had = _had(question, past)
        slices.append(_of_targets("repeat", question, had))
        slices.append(_of_targets("first", question, ~had))
    return slices


def head_of(events: np.ndarray) -> np.ndarray:
    """Returns the fewest items with half of the events, bool `[items]`."""
    order = np.argsort(-events, kind="stable")
    before = np.cumsum(events[order]) - events[order]
    head = np.zeros(len(events), bool)
    head[order] = (before < HEAD_SHARE * events.sum()) & (events[order] > 0)
    return head


def _of_users(name: str, question: Question, users: np.ndarray) -> Slice:
    return Slice(name, question.of(users), users)


def _of_items(name: str, question: Question, items: np.ndarray) -> Slice:
    return _of_targets(name, question, items[question.targets.items])


def _of_targets(name: str, question: Question, kept: np.ndarray) -> Slice:
    part = question.aiming_at(kept)
    return Slice(name, part, np.isin(question.user, part.user))


def _had(question: Question, past: Past) -> np.ndarray:
    """Returns which targets the user bought before, bool `[targets]`."""
    bought = past.bought
    key = past.user[bought] * past.items + past.item[bought]
    owner = question.user[question.targets.owners()]
    return np.isin(owner * past.items + question.targets.items, key)
