"""Everything that decides what the made shop's customers do, but for chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.simulation.customers import Customers, draw_customers
from tfrs_app.simulation.items import Items, draw_items
from tfrs_app.simulation.options import BEHAVIOUR, Behaviour, ShopSize
from tfrs_app.simulation.seasons import activity, draw_seasons

TASTE_WEIGHT = 1.8
"""How much more often one meets what one likes: the page is made for its user."""
ATTRACTION_SHIFT = -1.5


@dataclass(frozen=True)
class World:
    """Holds the truth: from it every probability follows in closed form.

    Args:
        items: the catalogue.
        customers: the users.
        activity: float64 `[days]`, sessions of each day as a multiple.
        season: float64 `[days, categories]`, logarithmic.
        behaviour: probabilities that are the same for everybody.
    """

    items: Items
    customers: Customers
    activity: np.ndarray
    season: np.ndarray
    behaviour: Behaviour = BEHAVIOUR

    @property
    def days(self) -> int:
        """Returns the length of the simulated span in days."""
        return len(self.activity)

    @property
    def examination(self) -> np.ndarray:
        """Returns how likely each place of a page is looked at, `[positions]`."""
        place = np.arange(1, self.behaviour.positions + 1)
        looked_at: np.ndarray = place**-self.behaviour.position_exponent
        return looked_at

    def session_probability(self, day: int) -> np.ndarray:
        """Returns how likely each user has a session on a day, `[users]`."""
        rate = self.customers.sessions_a_day * self.activity[day]
        joined = self.customers.joined_day <= day
        return np.where(joined, -np.expm1(-rate), 0.0)

    def match(self, users: np.ndarray) -> np.ndarray:
        """Returns how well tastes fit traits, float32 `[users, items]`.

        Summed in one order everywhere, which a threaded matrix product would not be.
        """
        taste = self.customers.taste[users].astype(np.float32)
        trait = self.items.trait.astype(np.float32)
        match: np.ndarray = np.multiply.outer(taste[:, 0], trait[:, 0])
        part = np.empty_like(match)
        for dimension in range(1, taste.shape[1]):
            np.multiply.outer(taste[:, dimension], trait[:, dimension], out=part)
            match += part
        return match

    def weights(self, match: np.ndarray, day: int) -> np.ndarray:
        """Returns how often a place of a user's page shows an item, up to a factor.

        Args:
            match: `[users, items]`, of the users asked for.
            day: number of the day.

        Returns:
            float32 `[users, items]`; what is not for sale is 0.
        """
        general = self.items.popularity + self.season[day, self.items.category]
        general = general + self.items.trend * (day / self.days - 0.5)
        weight: np.ndarray = match * np.float32(TASTE_WEIGHT)
        np.exp(weight, out=weight)
        weight *= (np.exp(general) * self.items.available[day]).astype(np.float32)
        return weight

    def attraction(self, match: np.ndarray) -> np.ndarray:
        """Returns how likely an item that is looked at is viewed, like `match`."""
        return 1 / (1 + np.exp(-(match.astype(np.float64) + ATTRACTION_SHIFT)))

    def complement_pairs(self) -> np.ndarray:
        """Returns the pairs that are bought together on purpose, `[pairs, 2]`."""
        left = np.flatnonzero(self.items.complement > np.arange(len(self.items.price)))
        return np.column_stack([left, self.items.complement[left]])


def draw_world(size: ShopSize, rng: np.random.Generator) -> World:
    """Draws catalogue, customers and seasons."""
    return World(
        items=draw_items(size, rng),
        customers=draw_customers(size, rng),
        activity=activity(size.days),
        season=draw_seasons(size.days, rng),
    )
