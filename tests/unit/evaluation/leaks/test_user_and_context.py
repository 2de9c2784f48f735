"""Context and profile tests on logs whose answer is known."""

import numpy as np
import pytest

from tests.unit.data.logs import log_of
from tfrs_app.evaluation.leaks.context import context_leak
from tfrs_app.evaluation.leaks.profile import profile_leak

TOWNS = np.array([b"north", b"south", b"east"], object)


def loyal_log():
    """Thirty users, each with two items of their own, bought in turn at 0..39."""
    return log_of([[(t, 2 * u + t % 2, 1) for t in range(40)] for u in range(30)])


def leak_of(values, log):
    return context_leak("x", values, log, 20, 40).value


def test_where_a_user_always_is_tells_no_item_though_items_tell_the_user():
    log = loyal_log()
    assert leak_of(TOWNS[log.user % 3], log) == pytest.approx(0, abs=0.01)


def test_what_the_item_decides_is_a_leak_whoever_buys():
    log = loyal_log()
    assert leak_of(TOWNS[log.item % 2], log) > 0.5


def test_chance_is_none():
    log = loyal_log()
    values = TOWNS[np.random.default_rng(1).integers(3, size=len(log.item))]
    assert leak_of(values, log) < 0.1


def test_too_few_events_and_constants_are_not_judged():
    log = loyal_log()
    assert context_leak("x", TOWNS[log.item % 2], log, 1, 2) is None
    assert context_leak("x", TOWNS[log.item * 0], log, 20, 40) is None
    assert profile_leak("x", TOWNS[np.arange(30) % 3], log, 20, 40) is None


def club_log(*windows):
    """300 users of three clubs: at 10 and at 20 each buys 5 of 60 items.

    In the named windows those of the own club only, otherwise any.
    """
    random = np.random.default_rng(5)
    users = []
    for user in range(300):
        events = []
        for moment in (10, 20):
            own = user % 3 + 3 * np.arange(20)
            choice = own if moment in windows else np.arange(60)
            items = random.choice(choice, 5, replace=False)
            events += [(moment, int(item), 1) for item in sorted(items)]
        users.append(events)
    return log_of(users)


@pytest.mark.parametrize(
    ("windows", "leaks"),
    [((20,), True), ((10, 20), False), ((10,), False), ((), False)],
)
def test_a_profile_that_tells_the_test_window_alone_is_a_leak(windows, leaks):
    found = profile_leak("x", TOWNS[np.arange(300) % 3], club_log(*windows), 20, 30)
    assert found.suspicious == leaks
    if leaks:  # a third of the items remains: log2 of 3, less what chance costs
        assert 1.0 < found.value < 1.6
