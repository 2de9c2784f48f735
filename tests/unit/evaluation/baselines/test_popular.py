import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import log_of
from tests.unit.evaluation.baselines.shops import (
    DAY,
    ITEMS,
    USERS,
    WEIGHT,
    asked,
    everybody,
    in_days,
)
from tfrs_app.evaluation.baselines.popular import fit_popular
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import ranked_lists

WINDOW = st.none() | st.integers(1, 6)


def plain(users, day, window, counted):
    counts = [0.0] * ITEMS
    for user in users:
        seen, new, had = set(), set(), set()
        for event_day, item, kind in user:
            if event_day >= day:
                continue
            if window is not None and event_day < day - window:
                had.add(item)
                continue
            seen.add(item)
            if counted == "events":
                counts[item] += WEIGHT[kind]
        new = seen - had
        for item in {"events": set(), "users": seen, "new_users": new}[counted]:
            counts[item] += 1
    return counts


@pytest.mark.parametrize("counted", ["events", "users", "new_users"])
@given(users=USERS, day=st.integers(0, 13), window=WINDOW)
def test_popular_counts_as_a_loop_does(counted, users, day, window):
    past = Past.of(log_of(in_days(users)), day * DAY, ITEMS)
    popular = fit_popular(past, counted, window)
    np.testing.assert_allclose(popular.counts, plain(users, day, window, counted))


def test_a_window_without_events_still_gives_scores_that_can_be_minus_infinity():
    log = log_of(in_days([[(1, 2, 1), (9, 0, 1)]]))
    question = ask(log, Target.FIRST_PURCHASE, 8 * DAY, None)
    popular = fit_popular(Past.of(log, 8 * DAY, ITEMS), window_days=2)
    assert popular.counts.dtype == np.float64
    assert ranked_lists(popular, question, 5).tolist() == [[0, 1, 3, 4, -1]]


def test_everybody_gets_the_same_popular_items():
    past, question = asked([[(1, 2, 1)], [(1, 2, 1)]])
    assert everybody(fit_popular(past), question).tolist() == [[0, 0, 2, 0, 0]] * 2
