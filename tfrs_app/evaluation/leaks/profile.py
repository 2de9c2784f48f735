"""Does a user's feature know what they will buy in the test window?

Who shares a profile buys alike, in every window. If those who share a value buy far
more alike in the test window than in the one before it, the value was made from it.
"""

from __future__ import annotations

import numpy as np

from tfrs_app.data.event_log import EventLog
from tfrs_app.evaluation.leaks.measurement import Measurement
from tfrs_app.evaluation.leaks.values import codes_of

PROFILE_LIMIT = 0.1
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of what the others of a value bought, in the mixture that is to tell the items; the
rest is what everybody bought. The best one counts."""
LEAST_PAIRS = 500


def profile_leak(
    name: str, values: np.ndarray, log: EventLog, start_s: int, end_s: int
) -> Measurement | None:
    """Measures how much better a value tells test targets than earlier purchases.

    Args:
        name: of the feature.
        values: raw, `[users]`.
        log: everybody's events.
        start_s: start of the test window.
        end_s: its end.

    Returns:
        None where there is too little to judge.
    """
    windows = (start_s, end_s), (2 * start_s - end_s, start_s)
    test, before = (_bought(log, *window) for window in windows)
    pairs = min(len(test), len(before))
    if pairs < LEAST_PAIRS:
        return None
    code, _ = codes_of(values)
    told, usual = (_told(_some(part, pairs), code, log) for part in (test, before))
    strength = told - usual
    return Measurement(
        name,
        "profile",
        strength,
        PROFILE_LIMIT,
        f"users of one value share {told:.2f} bits a target of the test window, "
        f"{usual:.2f} of the window before it",
    )


def _bought(log: EventLog, start_s: int, end_s: int) -> np.ndarray:
    """Returns the distinct pairs user * items + item bought in a window, `[pairs]`."""
    bought = log.bought & log.span(start_s, end_s)
    return np.unique(log.user[bought] * _items(log) + log.item[bought])


def _some(pairs: np.ndarray, most: int) -> np.ndarray:
    """Returns as many of the pairs, because more pairs alone tell more."""
    return np.random.default_rng(0).permutation(pairs)[:most]


def _told(pairs: np.ndarray, code: np.ndarray, log: EventLog) -> float:
    """Returns the bits that other users of the same value tell of an item."""
    items = _items(log)
    user, item = pairs // items, pairs % items
    value = code[user]
    general = (np.bincount(item, minlength=items) - 1)[item] + 1 / items
    general = general / len(pairs)
    _, place, count = np.unique(
        value * items + item, return_inverse=True, return_counts=True
    )
    of_others = count[place] - 1  # a user has an item once
    everything = np.bincount(value)[value] - np.bincount(user)[user]
    lift = of_others / np.maximum(everything, 1) / general
    bits = [np.log2(1 - share + share * lift).mean() for share in SHARES]
    return float(max(0.0, *bits))


def _items(log: EventLog) -> int:
    return int(log.item.max(initial=0)) + 1
