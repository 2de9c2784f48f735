import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tfrs_app.layers.popularity import RecentPopularity

SECOND_DAYS = 1 / 86400


@settings(max_examples=40, deadline=None)
@given(users=USERS, moment=st.integers(0, 8), window_s=st.integers(1, 6))
def test_counts_the_strictly_earlier_events_of_the_window(users, moment, window_s):
    log = log_of(users)
    events = [event for user in users for event in user]
    expected = [
        math.log(
            1 + sum(moment - window_s <= t < moment and i == item for t, i, _ in events)
        )
        for item in range(5)
    ]
    layer = RecentPopularity(log, [window_s * SECOND_DAYS, 1.0])
    answer = layer(np.arange(5, dtype=np.int32), np.full(5, moment, np.int64)).numpy()
    assert answer.shape == (5, 2)
    np.testing.assert_allclose(answer[:, 0], expected, atol=1e-6)


def test_an_example_does_not_see_itself():
    log = log_of([[(100, 3, 1)], [(100, 3, 1)]])
    layer = RecentPopularity(log, [7.0])
    rows = np.array([3, 3], np.int32)
    answer = layer(rows, np.array([100, 101], np.int64)).numpy()
    np.testing.assert_allclose(answer, [[0.0], [math.log(3)]], atol=1e-6)
