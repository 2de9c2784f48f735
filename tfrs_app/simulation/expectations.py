"""What the made shop's customers will do, on average, in closed form."""

from __future__ import annotations

import numpy as np

from tfrs_app.simulation.shopping import reorder_bounds
from tfrs_app.simulation.world import World


def affinity(world: World, users: np.ndarray, day: int) -> np.ndarray:
    """Returns how likely each item is viewed in a session, float64 `[users, items]`.

    The places of a page are drawn by themselves, so an item is missed with the product
    of the probabilities that each place does not lead to its view.

    Args:
        world: the truth.
        users: int `[users]`.
        day: of the session.
    """
    return _affinity(world, world.match(users), day)


def expected_purchases(
    world: World, users: np.ndarray, first_day: int, end_day: int
) -> np.ndarray:
    """Returns purchases to expect from browsing, complements included.

    Args:
        world: the truth.
        users: int `[users]`.
        first_day: of the span.
        end_day: the day after its last.

    Returns:
        float64 `[users, items]`, summed over first_day <= day < end_day.
    """
    match = world.match(users)
    total = np.zeros(match.shape)
    for day in range(first_day, end_day):
        bought = _affinity(world, match, day)
        bought *= world.behaviour.cart * world.behaviour.purchase
        bought += _bought_along(world, bought, day)
        total += world.session_probability(day)[users, np.newaxis] * bought
    return total


def expected_reorders(
    world: World, item: np.ndarray, day: np.ndarray, first_day: int, end_day: int
) -> np.ndarray:
    """Returns how likely each purchase leads to a reorder in a span, float64 `[n]`.

    Reorders of reorders, and that an item may be out of stock, are left out.

    Args:
        world: the truth.
        item: what was bought, int `[n]`.
        day: when, int `[n]`, before the span.
        first_day: of the span.
        end_day: the day after its last.
    """
    interval = world.items.reorder_days[item]
    least, most = reorder_bounds(interval, world.behaviour.reorder_jitter)
    start = np.maximum(day + least, first_day)
    end = np.minimum(day + most + 1, end_day)
    share = np.maximum(end - start, 0) / (most - least + 1)
    return np.asarray(np.where(interval > 0, world.behaviour.reorder * share, 0.0))


def _affinity(world: World, match: np.ndarray, day: int) -> np.ndarray:
    weight = world.weights(match, day).astype(np.float64)
    click = weight / weight.sum(axis=1, keepdims=True) * world.attraction(match)
    missed = np.ones_like(click)
    for looked_at in world.examination:
        missed *= 1 - looked_at * click
    viewed: np.ndarray = 1 - missed
    return viewed


def _bought_along(world: World, bought: np.ndarray, day: int) -> np.ndarray:
    """Returns purchases of complements, `[users, items]`: of `bought` in a session."""
    partner = world.items.complement
    by_partner = np.where(partner >= 0, bought[:, partner], 0.0)
    for_sale = world.items.available[day]
    along: np.ndarray = world.behaviour.complement * by_partner * (1 - bought)
    along *= for_sale
    return along
