"""Is a context feature the target in disguise?

The context of a request is known before anybody buys. A value that the bought item
decides (its id, category or price in the event's row) was written down afterwards.
"""

from __future__ import annotations

import numpy as np

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.leaks.measurement import Measurement
from tfrs_app.evaluation.leaks.values import codes_of

CONTEXT_LIMIT = 0.5
PRIOR_EVENTS = 1.0
"""Events of the general distribution that are added to each item's."""
LEAST_EVENTS = 200
LEAST_ENTROPY_BITS = 0.1


def context_leak(
    name: str, values: np.ndarray, log: EventLog, start_s: int, end_s: int
) -> Measurement | None:
    """Measures how far the bought item decides the value, beyond what its user does.

    The uncertainty coefficient 1 - H(value | item) / H(value), learned before the test
    window and measured in it; less the same after items were shuffled within each user,
    who may always come from the same place with the same device.

    Args:
        name: of the feature.
        values: raw, `[events]`.
        log: everybody's events.
        start_s: start of the test window.
        end_s: its end.

    Returns:
        None where there is too little to judge.
    """
    code, size = codes_of(values)
    past, window = log.span(None, start_s), log.span(start_s, end_s)
    if min(past.sum(), window.sum()) < LEAST_EVENTS:
        return None
    shuffled = _shuffled_within_users(log)
    decided = _decided(log.item, code, size, past, window)
    by_user = _decided(log.item[shuffled], code, size, past, window)
    if decided is None or by_user is None:
        return None
    strength = decided - max(by_user, 0.0)
    return Measurement(
        name,
        "context",
        strength,
        CONTEXT_LIMIT,
        f"the item of an event decides {100 * strength:.0f} % of its value beyond what "
        "the user decides",
    )


def _shuffled_within_users(log: EventLog) -> np.ndarray:
    """Returns event positions, those of each user in random order."""
    chance = np.random.default_rng(0).random(len(log.item))
    order: np.ndarray = np.lexsort((chance, log.user))
    return order


def _decided(
    item: np.ndarray,
    code: np.ndarray,
    size: int,
    past: np.ndarray,
    window: np.ndarray,
) -> float | None:
    """Returns the share of the value's uncertainty that the item takes away."""
    general = (np.bincount(code[past], minlength=size) + 1.0) / (past.sum() + size)
    pairs = item * np.int64(size) + code
    keys, count = np.unique(pairs[past], return_counts=True)
    of_item = np.bincount(item[past], minlength=int(item.max()) + 1)
    wanted = pairs[window]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    joint = np.where(keys[place] == wanted, count[place], 0)
    prior = general[code[window]]
    rows = of_item[item[window]]
    given = (joint + PRIOR_EVENTS * prior) / (rows + PRIOR_EVENTS)
    entropy = float(-np.log2(prior).mean())
    if entropy < LEAST_ENTROPY_BITS:
        return None
    return 1 + float(np.log2(given).mean()) / entropy
