"""The made shop's tables, as a real shop would hand them over."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tfrs_app.simulation.browsing import Impressions
from tfrs_app.simulation.customers import SEGMENTS, Customers
from tfrs_app.simulation.items import CATEGORIES, Items, descriptions
from tfrs_app.simulation.options import SECONDS_PER_DAY, START
from tfrs_app.simulation.shopping import (
    CART,
    EVENT_TYPES,
    NO_POSITION,
    PURCHASE,
    Events,
)

HOURS = (
    1, 1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 7, 6, 6, 7, 8, 10, 12, 13, 11, 7, 0,
)  # fmt: skip
"""How many sessions begin in each hour of the day, UTC, as shares of the sum."""
VIEW_EVERY_S, CART_AFTER_S, CHECKOUT_AFTER_S = 30, 10, 600
SECOND = pa.timestamp("s", tz="UTC")


def user_ids(users: np.ndarray) -> pa.Array:
    """Returns the ids of users: ascending like their numbers."""
    return pa.array([f"u{number:06d}" for number in users.tolist()])


def item_ids(items: np.ndarray) -> pa.Array:
    """Returns the ids of items: ascending like their numbers."""
    return pa.array([f"i{number:06d}" for number in items.tolist()])


def number_of(identity: bytes | str) -> int:
    """Returns the number of a user or an item by its id."""
    return int(identity[1:])


def session_starts(sessions: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the second of its day at which each session begins, int64."""
    share = np.array(HOURS) / sum(HOURS)
    hour = rng.choice(len(HOURS), size=sessions, p=share)
    return hour * 3600 + rng.integers(3600, size=sessions)


def events_table(events: Events, items: Items, start: np.ndarray) -> pa.Table:
    """Returns the events in the order of time; a basket's purchases are one moment.

    Args:
        events: what happened.
        items: of the shop.
        start: second of the day, int64 `[sessions]`.
    """
    time = _times(events, start)
    order = np.lexsort((events.item, events.kind, events.session, time))
    events, time = events.at(order), time[order]
    every_user, every_item = _distinct(events.user), _distinct(events.item)
    clicked = events.position != NO_POSITION
    return pa.table(
        {
            "user_id": user_ids(np.arange(every_user)).take(pa.array(events.user)),
            "item_id": item_ids(np.arange(every_item)).take(pa.array(events.item)),
            "timestamp": pa.array(time).cast(SECOND),
            "event_type": pa.array(EVENT_TYPES).take(pa.array(events.kind)),
            "session_id": _session_ids(events.session),
            "price": pa.array(items.price[events.item]),
            "position": pa.array(events.position, mask=~clicked),
        }
    )


def items_table(items: Items) -> pa.Table:
    """Returns the catalogue."""
    return pa.table(
        {
            "item_id": item_ids(np.arange(len(items.price))),
            "category": pa.array(CATEGORIES).take(pa.array(items.category)),
            "description": descriptions(items),
            "price": pa.array(items.price),
        }
    )


def users_table(customers: Customers) -> pa.Table:
    """Returns the users' profiles; an unknown segment is missing."""
    known = pa.array(customers.segment, mask=~customers.segment_known)
    return pa.table(
        {
            "user_id": user_ids(np.arange(len(customers.segment))),
            "segment": pa.array(SEGMENTS).take(known),
        }
    )


def impressions_table(shown: Impressions, start: np.ndarray) -> pa.Table:
    """Returns what each session's page showed when it began, clicked or not.

    Args:
        shown: in the order of the sessions.
        start: second of the day, int64 `[sessions]`.
    """
    every_user, every_item = _distinct(shown.user), _distinct(shown.item)
    time = _day_s(shown.day) + start[shown.session]
    return pa.table(
        {
            "list_id": _session_ids(shown.session),
            "user_id": user_ids(np.arange(every_user)).take(pa.array(shown.user)),
            "timestamp": pa.array(time).cast(SECOND),
            "position": pa.array(shown.position),
            "item_id": item_ids(np.arange(every_item)).take(pa.array(shown.item)),
            "clicked": pa.array(shown.clicked),
        }
    )


def _session_ids(sessions: np.ndarray) -> pa.Array:
    every = pa.array([f"s{number}" for number in range(_distinct(sessions))])
    return every.take(pa.array(sessions))


def _distinct(numbers: np.ndarray) -> int:
    return int(numbers.max(initial=-1)) + 1


def _day_s(day: np.ndarray) -> np.ndarray:
    return int(START.timestamp()) + day * SECONDS_PER_DAY


def _times(events: Events, start: np.ndarray) -> np.ndarray:
    """Returns the moment of each event in seconds since the epoch, int64 `[events]`."""
    within = VIEW_EVERY_S * (events.position + 1)
    within = np.where(events.kind == CART, within + CART_AFTER_S, within)
    within = np.where(events.kind == PURCHASE, CHECKOUT_AFTER_S, within)
    time: np.ndarray = _day_s(events.day) + start[events.session] + within
    return time
