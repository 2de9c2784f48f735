"""Which items one user bought together: baskets by session or by a window of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from beam.sequences import Histories
from beam.tables import TablePlan
from tfrs_app.contract.data_config import CoPurchasesConfig
from tfrs_app.contract.dataset import SESSION_ID, TIMESTAMP
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID

HOUR_S = 3600


@dataclass(frozen=True)
class BasketRule:
    """Says which purchases of one user make one basket.

    `sessions`: those of one session id; a purchase without an id, and every purchase
    where this is false, belongs to those at most `window_s` after the basket's first.
    """

    sessions: bool
    window_s: float
    max_basket: int

    @property
    def within(self) -> str:
        """Returns the rule's name in the configuration."""
        return "session" if self.sessions else "window"


@dataclass(frozen=True)
class Purchases:
    """Holds purchases sorted by user and time; arrays are [purchases].

    `item`: catalogue positions. `timestamp`: seconds. `session`: codes of session ids,
    -1 for none; None where the shop has no such column.
    """

    user: Any
    item: Any
    timestamp: Any
    session: Any | None


@dataclass(frozen=True)
class Baskets:
    """Holds the distinct items of each basket that is not too large.

    `basket` [rows] counts up from 0; `item` [rows] ascends within a basket.
    """

    basket: Any
    item: Any
    count: int
    too_large: int


def basket_rule(config: CoPurchasesConfig, plan: TablePlan) -> BasketRule:
    """Returns how baskets of an events table are found.

    Raises:
        DataError: sessions are asked for where events have none.
    """
    present = plan.has(SESSION_ID)
    if config.within == "session" and not present:
        raise DataError(
            "data.co_purchases.within: 'session' needs session ids, which the events "
            "lack; map data.events.columns.session_id or choose window"
        )
    return BasketRule(
        sessions=present and config.within != "window",
        window_s=config.window_hours * HOUR_S,
        max_basket=config.max_basket,
    )


def purchases_of(events: Histories, chosen: Any) -> Purchases:
    """Returns the chosen events, a bool mask [events], as purchases."""
    table = events.table
    session = None
    if SESSION_ID in table.column_names:
        codes = table.column(SESSION_ID).combine_chunks().dictionary_encode().indices
        session = pc.fill_null(codes, -1).to_numpy().astype(np.int64)[chosen]
    return Purchases(
        user=events.user[chosen],
        item=table.column(ITEM_ID).to_numpy()[chosen].astype(np.int64),
        timestamp=table.column(TIMESTAMP).to_numpy()[chosen],
        session=session,
    )


def baskets_of(purchases: Purchases, rule: BasketRule) -> Baskets:
    """Returns the baskets of all users; each distinct item of a basket once."""
    basket = _basket_of_each(purchases, rule)
    width = int(purchases.item.max(initial=0)) + 1
    # np.unique would hash here: with NumPy 2.4 sixty times slower than this sort.
    rows = np.sort(basket * width + purchases.item)
    basket, item = np.divmod(rows[np.diff(rows, prepend=-1) != 0], width)
    size = np.bincount(basket)
    kept = size <= rule.max_basket
    number = np.cumsum(kept) - 1
    rows_kept = kept[basket]
    return Baskets(
        basket=number[basket[rows_kept]],
        item=item[rows_kept],
        count=int(kept.sum()),
        too_large=int((~kept).sum()),
    )


def _basket_of_each(purchases: Purchases, rule: BasketRule) -> Any:
    """Returns int64 [purchases]: the basket of each, numbers without a gap."""
    user, session = purchases.user, purchases.session
    named = np.zeros(len(user), dtype=bool)
    basket = np.zeros(len(user), dtype=np.int64)
    if rule.sessions and session is not None:
        named = session >= 0
        sessions = int(session.max(initial=0)) + 1
        key = user[named] * sessions + session[named]
        basket[named] = np.unique(key, return_inverse=True)[1]
    first = int(basket.max(initial=-1)) + 1 if named.any() else 0
    rest = ~named
    basket[rest] = first + _windows(
        user[rest], purchases.timestamp[rest], rule.window_s
    )
    return basket


def _windows(user: Any, timestamp: Any, window_s: float) -> Any:
    """Numbers the windows; each starts with a user's first event after the last one."""
    if not len(user):
        return user
    seconds = timestamp - timestamp.min()
    longest = int(seconds.max())
    window = int(min(window_s, longest))
    moment = user * (longest + window + 1) + seconds
    following = np.searchsorted(moment, moment + window, side="right").tolist()
    opened = np.zeros(len(user), dtype=np.int64)
    place = 0
    while place < len(user):
        opened[place] = 1
        place = following[place]
    return np.cumsum(opened) - 1
