"""From clicks to carts, purchases, complements and reorders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.simulation.browsing import Impressions
from tfrs_app.simulation.world import World

VIEW, CART, PURCHASE = range(3)
EVENT_TYPES = ("view", "cart", "purchase")
NO_POSITION = -1


@dataclass(frozen=True)
class Events:
    """Holds what happened, one int64 value an event.

    Args:
        session: number of the session; reorders have sessions of their own.
        user: who.
        day: when.
        item: what.
        kind: position in `EVENT_TYPES`.
        position: place on the page that was clicked; `NO_POSITION` without a click.
    """

    session: np.ndarray
    user: np.ndarray
    day: np.ndarray
    item: np.ndarray
    kind: np.ndarray
    position: np.ndarray

    def __len__(self) -> int:
        return len(self.item)

    def at(self, rows: np.ndarray) -> Events:
        """Returns some of the events, by mask or by number."""
        return Events(**{name: values[rows] for name, values in vars(self).items()})

    def changed(self, **columns: np.ndarray) -> Events:
        """Returns the events with other values in some columns."""
        return Events(**(vars(self) | columns))


def joined(parts: list[Events]) -> Events:
    """Returns all parts' events, one part after the other."""
    names = vars(parts[0])
    return Events(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def shop(world: World, shown: Impressions, rng: np.random.Generator) -> Events:
    """Simulates what becomes of the clicks."""
    views = _views(shown)
    behaviour = world.behaviour
    carts = views.at(rng.random(len(views)) < behaviour.cart)
    bought = carts.at(rng.random(len(carts)) < behaviour.purchase)
    bought = bought.changed(kind=np.full(len(bought), PURCHASE))
    carts = carts.changed(kind=np.full(len(carts), CART))
    along = _bought_along(world, bought, rng)
    sessions = int(shown.session.max(initial=-1)) + 1
    again = _reorders(world, joined([bought, along]), sessions, rng)
    return joined([views, carts, bought, along, again])


def _views(shown: Impressions) -> Events:
    """Returns one view for each item that a session clicked, at its first place."""
    rows = np.flatnonzero(shown.clicked)
    items = int(shown.item.max(initial=0)) + 1
    _, first = np.unique(
        shown.session[rows] * items + shown.item[rows], return_index=True
    )
    rows = rows[np.sort(first)]
    return Events(
        session=shown.session[rows],
        user=shown.user[rows],
        day=shown.day[rows],
        item=shown.item[rows],
        kind=np.full(len(rows), VIEW),
        position=shown.position[rows],
    )


def _bought_along(world: World, bought: Events, rng: np.random.Generator) -> Events:
    """Returns the complements that are bought along, unless the basket has them."""
    partner = world.items.complement[bought.item]
    wanted = rng.random(len(bought)) < world.behaviour.complement
    wanted &= (partner >= 0) & world.items.available[bought.day, partner]
    items = len(world.items.price)
    basket = bought.session * items + bought.item
    wanted &= ~np.isin(bought.session * items + partner, basket)
    along = bought.changed(item=partner, position=np.full(len(bought), NO_POSITION))
    return along.at(wanted)


def _reorders(
    world: World, bought: Events, sessions: int, rng: np.random.Generator
) -> Events:
    """Returns the reorders of consumables, those of reorders included.

    Args:
        world: gives intervals and stock.
        bought: purchases so far.
        sessions: number of the first session that is free.
        rng: source of chance.
    """
    rounds = [bought.at(np.zeros(len(bought), bool))]
    last = bought
    while len(last):
        last = _reordered(world, last, rng)
        last = last.changed(session=sessions + np.arange(len(last)))
        sessions += len(last)
        rounds.append(last)
    return joined(rounds)


def _reordered(world: World, bought: Events, rng: np.random.Generator) -> Events:
    interval = world.items.reorder_days[bought.item]
    wanted = (rng.random(len(bought)) < world.behaviour.reorder) & (interval > 0)
    day = bought.day + reorder_delay(
        interval, rng.random(len(bought)), world.behaviour.reorder_jitter
    )
    wanted &= day < world.days
    wanted[wanted] = world.items.available[day[wanted], bought.item[wanted]]
    again = bought.changed(day=day, position=np.full(len(bought), NO_POSITION))
    return again.at(wanted)


def reorder_delay(
    interval: np.ndarray, chance: np.ndarray, jitter: float
) -> np.ndarray:
    """Returns the days until a reorder: even between the interval's jittered ends.

    Args:
        interval: days, int `[n]`.
        chance: in [0, 1), `[n]`.
        jitter: share of the interval by which it is early or late, at most.
    """
    least, most = reorder_bounds(interval, jitter)
    later = np.floor(chance * (most - least + 1)).astype(np.int64)
    delay: np.ndarray = least + later
    return delay


def reorder_bounds(
    interval: np.ndarray, jitter: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the greatest number of days until a reorder."""
    slack = np.floor(interval * jitter).astype(np.int64)
    return interval - slack, interval + slack
