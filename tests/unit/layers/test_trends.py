import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tfrs_app.layers.trends import ItemTrends

ITEMS = 5
DAY = 86400


def trends_of(log, moment, *days):
    return ItemTrends(log, ITEMS, days)(tf.constant(moment, tf.int64)).numpy()


@settings(max_examples=40, deadline=None)
@given(users=USERS, moment=st.integers(0, 8), window_s=st.integers(1, 6))
def test_counts_the_strictly_earlier_events_of_the_window(users, moment, window_s):
    log = log_of(users)
    seen = [
        (u, t, i, float(log.type_weight[k]))
        for u, own in enumerate(users)
        for t, i, k in own
    ]
    days = window_s / DAY
    answer = trends_of(log, moment, days)
    for item in range(ITEMS):
        within = [
            e for e in seen if e[2] == item and moment - window_s <= e[1] < moment
        ]
        by_user = {}
        for e in seen:
            if e[2] == item and e[1] < moment:
                by_user.setdefault(e[0], []).append(e)
        # A user counts with the weight of the first event that made them count.
        users = [
            next((e[3] for e in own if e[1] >= moment - window_s), 0.0)
            for own in by_user.values()
        ]
        new = [own[0][3] for own in by_user.values() if own[0][1] >= moment - window_s]
        born = min((e[1] for e in seen if e[2] == item), default=math.inf)
        expected = [
            math.log(1 + 7 / days * sum(e[3] for e in within)),
            math.log(1 + 7 / days * sum(users)),
            math.log(1 + 7 / days * sum(new)),
            math.log(1 + (moment - born) / DAY) if born < moment else 0.0,
            float(born < moment),
        ]
        np.testing.assert_allclose(answer[item], expected, atol=1e-5)


def test_windows_keep_their_order_and_an_event_does_not_see_itself():
    log = log_of([[(10 * DAY, 3, 1)], [(12 * DAY, 3, 1)]])
    answer = trends_of(log, 12 * DAY, 1.0, 7.0)
    weight = float(log.type_weight[1])
    assert not answer[3, :3].any()
    np.testing.assert_allclose(answer[3, 3:6], math.log(1 + weight), rtol=1e-6)
    np.testing.assert_allclose(answer[3, 6:], [math.log(3), 1.0], rtol=1e-6)
    assert answer.shape == (ITEMS, 8)


@pytest.mark.parametrize("moment", [0, 2**40])
def test_an_item_without_events_is_all_zeros(moment):
    answer = trends_of(log_of([[(100, 3, 1)]]), moment, 7.0)
    assert not answer[[0, 1, 2, 4]].any()
