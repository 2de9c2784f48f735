"""Makes what quality.json tells of time and users."""

from __future__ import annotations

from typing import Any

import numpy as np

from beam.distributions import binned
from beam.tallies import hour_of_week
from tfrs_app.contract.dataset import EVERY_SPAN
from tfrs_app.contract.quality import (
    HOURS_OF_WEEK,
    TimeQuality,
    UserQuality,
)

_HOURS_A_DAY = 24
_QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
_TEST = EVERY_SPAN.index("test")
_EARLIER = (1 << _TEST) - 1


def time_quality(hours: Any, counts: Any, moments: tuple[str, str]) -> TimeQuality:
    """Describes when events happened.

    Args:
        hours: int64 [hours], those with events, since the epoch, ascending.
        counts: int64 [hours], events of each.
        moments: of the first and the last event, ISO 8601.
    """
    days = hours // _HOURS_A_DAY
    a_day = np.bincount(days - days[0], weights=counts).astype(np.int64)
    week = np.zeros(HOURS_OF_WEEK, dtype=np.int64)
    np.add.at(week, hour_of_week(hours), counts)
    return TimeQuality(
        first=moments[0],
        last=moments[1],
        days=len(a_day),
        days_without_events=int((a_day == 0).sum()),
        events_a_day={
            "min": float(a_day.min()),
            "median": float(np.median(a_day)),
            "max": float(a_day.max()),
        },
        hours_of_week=week.tolist(),
    )


def user_quality(events: Any, masks: Any, users: Any) -> UserQuality:
    """Describes how events spread over users.

    Args:
        events: int64 [groups], events that each user of a group has.
        masks: int64 [groups], bit i: they have events in span i.
        users: int64 [groups], users of each group.
    """
    sizes, place = np.unique(events, return_inverse=True)
    having = np.bincount(place, weights=users).astype(np.int64)
    total = int(users.sum())
    active = {s: int(users[masks >> i & 1 > 0].sum()) for i, s in enumerate(EVERY_SPAN)}
    tests = masks >> _TEST & 1 > 0
    ranks = [min(int(q * total), total - 1) for q in _QUANTILES]
    wanted = sizes[np.searchsorted(np.cumsum(having), ranks, side="right")]
    return UserQuality(
        with_events=total,
        spans=active,
        new_in_test=int(users[tests & (masks & _EARLIER == 0)].sum()),
        events_a_user=binned(sizes.astype(np.float64), having),
        quantiles=dict(zip(map(str, _QUANTILES), wanted.tolist(), strict=True)),
    )
