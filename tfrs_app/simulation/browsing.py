"""Day by day: who comes, what their page shows, and what they click."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.simulation.world import World

SESSIONS_A_STEP = 128
ALMOST_ONE = 1 - 1e-9
"""A chance below which rounding can't lead into the next row."""


@dataclass(frozen=True)
class Impressions:
    """Holds what was shown, one value an impression, in the order of the sessions.

    Args:
        session: int64, number of the session, from 0.
        user: int64.
        day: int64.
        position: int64, place on the page, from 0.
        item: int64; one page may show an item twice.
        clicked: bool.
    """

    session: np.ndarray
    user: np.ndarray
    day: np.ndarray
    position: np.ndarray
    item: np.ndarray
    clicked: np.ndarray


def browse(world: World, rng: np.random.Generator) -> Impressions:
    """Simulates every session's page.

    Each place of a page is drawn by itself, so that place and relevance are
    independent; a click needs a look at the place and attraction of the item.
    """
    users, days, items, clicks = [], [], [], []
    for day in range(world.days):
        come = rng.random(len(world.customers.taste)) < world.session_probability(day)
        todays = np.flatnonzero(come)
        for start in range(0, len(todays), SESSIONS_A_STEP):
            some = todays[start : start + SESSIONS_A_STEP]
            shown, clicked = _pages(world, some, day, rng)
            users.append(some)
            days.append(np.full(len(some), day))
            items.append(shown)
            clicks.append(clicked)
    return _flattened(users, days, items, clicks, world.behaviour.positions)


def _pages(
    world: World, users: np.ndarray, day: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what each page shows and what is clicked, `[sessions, positions]`."""
    match = world.match(users)
    shape = (len(users), world.behaviour.positions)
    shown = _drawn(world.weights(match, day), rng.random(shape))
    attraction = world.attraction(np.take_along_axis(match, shown, axis=1))
    return shown, rng.random(shape) < world.examination * attraction


def _drawn(weight: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Draws columns in proportion to each row's weights, int64 in `chance`'s shape.

    Row r's cumulated shares are moved to (r, r + 1], so one search serves all rows.
    """
    rows, columns = weight.shape
    cumulated = weight.astype(np.float64)
    np.cumsum(cumulated, axis=1, out=cumulated)
    cumulated /= cumulated[:, -1:].copy()
    row = np.arange(rows)[:, np.newaxis]
    cumulated += row
    wanted = np.minimum(chance, ALMOST_ONE) + row
    found = np.searchsorted(cumulated.ravel(), wanted.ravel(), "right")
    column: np.ndarray = found.reshape(chance.shape) - row * columns
    return column


def _flattened(
    users: list[np.ndarray],
    days: list[np.ndarray],
    items: list[np.ndarray],
    clicks: list[np.ndarray],
    positions: int,
) -> Impressions:
    empty = np.zeros(0, np.int64)
    user, day = np.concatenate([empty, *users]), np.concatenate([empty, *days])
    pages = np.zeros((0, positions), np.int64)
    return Impressions(
        session=np.repeat(np.arange(len(user)), positions),
        user=np.repeat(user, positions),
        day=np.repeat(day, positions),
        position=np.tile(np.arange(positions), len(user)),
        item=np.concatenate([pages, *items]).ravel(),
        clicked=np.concatenate([pages.astype(bool), *clicks]).ravel(),
    )
