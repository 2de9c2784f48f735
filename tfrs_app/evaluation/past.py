"""What was known at a moment: all that a baseline may learn from."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import numpy as np
import scipy.sparse as sp

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.protocol import Question

SECONDS_PER_DAY = 86400.0

State = TypeVar("State")


@dataclass(frozen=True)
class Past:
    """Holds the events before a moment; later ones are not in it at all.

    Args:
        moment_s: that moment, exclusive.
        users: number of users of the log.
        items: size of the catalogue.
        user: int64 `[events]`.
        item: int32 `[events]`, catalogue rows.
        age_days: float64 `[events]`, above 0.
        weight: float64 `[events]`, how much each event counts by its type.
        bought: bool `[events]`, which are purchases.
        content: float32 `[items, terms]`, rows of length 1 or 0; None without content.
    """

    moment_s: int
    users: int
    items: int
    user: np.ndarray
    item: np.ndarray
    age_days: np.ndarray
    weight: np.ndarray
    bought: np.ndarray
    content: sp.csr_matrix | None = None
    _states: dict[str, tuple[Hashable, object]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(
        cls,
        log: EventLog,
        moment_s: int,
        items: int,
        content: sp.csr_matrix | None = None,
    ) -> Past:
        """Cuts the log at a moment."""
        before = log.span(None, moment_s)
        return cls(
            moment_s=moment_s,
            users=log.users,
            items=items,
            user=log.user[before],
            item=log.item[before],
            age_days=(moment_s - log.timestamp[before]) / SECONDS_PER_DAY,
            weight=log.weight[before],
            bought=log.bought[before],
            content=content,
        )

    def last_events(self, count: int) -> Past:
        """Returns the past of which nobody's events but their last are known."""
        later = np.bincount(self.user, minlength=self.users).cumsum()[self.user]
        kept = later - np.arange(len(self.user)) <= count  # a user's stand together
        return replace(
            self,
            user=self.user[kept],
            item=self.item[kept],
            age_days=self.age_days[kept],
            weight=self.weight[kept],
            bought=self.bought[kept],
            _states={},
        )

    def interactions(self, half_life_days: float | None) -> sp.csr_matrix:
        """Returns the decayed weight of each pair's events, float32 `[users, items]`.

        Args:
            half_life_days: age at which an event counts half; None: all count alike.
        """

        def summed() -> sp.csr_matrix:
            matrix = sp.csr_matrix(
                (self._decayed(half_life_days), (self.user, self.item)),
                shape=(self.users, self.items),
                dtype=np.float32,
            )
            matrix.sum_duplicates()
            return matrix

        return self.latest(f"interactions {half_life_days}", None, summed)

    def strengths(self, half_life_days: float | None) -> sp.csr_matrix:
        """Returns the interactions cut off at 1, float32 `[users, items]`.

        A pair so counts by whether and when it was seen, not by how often.
        """
        matrix = self.interactions(half_life_days).copy()
        np.minimum(matrix.data, 1.0, out=matrix.data)
        return matrix

    @property
    def users_an_item(self) -> np.ndarray:
        """Returns how many users had each item, int64 `[items]`."""
        pairs = self.interactions(None)
        return np.bincount(pairs.indices, minlength=self.items)

    def most_had(self, most: int) -> np.ndarray:
        """Returns the catalogue rows with most users, at most so many, ascending.

        Items without users are left out.
        """
        users = self.users_an_item
        order = np.argsort(-users, kind="stable")
        return np.sort(order[: min(most, np.count_nonzero(users))])

    def queries(
        self,
        question: Question,
        rows: slice,
        half_life_days: float | None,
        *,
        clipped: bool = False,
    ) -> sp.csr_matrix:
        """Returns the decayed histories of some users of a question, `[users, items]`.

        Args:
            question: of the moment at which this past ends.
            rows: which of its users.
            half_life_days: age at which an event counts half; None: all count alike.
            clipped: whether an item counts at most 1, however often it was had.

        Raises:
            ValueError: the question is of another moment.
        """
        if question.moment_s != self.moment_s:
            raise ValueError(
                f"a question of {question.moment_s} was put to a past that ends at "
                f"{self.moment_s}"
            )
        found = self.interactions(half_life_days)[question.user[rows]]
        if clipped:
            np.minimum(found.data, 1.0, out=found.data)
        return found

    def latest(self, name: str, key: Hashable, make: Callable[[], State]) -> State:
        """Returns a state made with this key, kept until another key takes its place.

        Grid points and targets so share what is dear to fit, one at a time in memory.
        """
        if name not in self._states or self._states[name][0] != key:
            self._states[name] = (key, make())
        return cast(State, self._states[name][1])

    def _decayed(self, half_life_days: float | None) -> np.ndarray:
        if half_life_days is None:
            return self.weight
        decayed: np.ndarray = self.weight * 0.5 ** (self.age_days / half_life_days)
        return decayed
