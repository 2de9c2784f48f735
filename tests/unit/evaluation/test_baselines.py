import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.logs import log_of
from tfrs_app.evaluation.baselines import (
    BASELINES,
    Baseline,
    PersonalFrequency,
    Popular,
    tune,
)
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import ranked_lists

DAY = 86400
ITEMS = 5
WEIGHT = {0: 0.5, 1: 1.0}
EVENT = st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(0, 1))
USERS = st.lists(
    st.lists(EVENT, min_size=1, max_size=6).map(sorted), min_size=1, max_size=4
)


def in_days(users):
    return [[(day * DAY, item, kind) for day, item, kind in u] for u in users]


@given(USERS, st.integers(0, 13), st.none() | st.integers(1, 6))
def test_popular_sums_the_weights_of_the_windows_events(users, day, window):
    counts = [0.0] * ITEMS
    for event_day, item, kind in (event for user in users for event in user):
        if event_day < day and (window is None or event_day >= day - window):
            counts[item] += WEIGHT[kind]
    popular = Popular(log_of(in_days(users)), ITEMS, window)
    np.testing.assert_allclose(popular.counts(day * DAY), counts)


def test_a_window_without_events_still_gives_scores_that_can_be_minus_infinity():
    log = log_of(in_days([[(1, 2, 1), (9, 0, 1)]]))
    question = ask(log, Target.FIRST_PURCHASE, 8 * DAY, None)
    popular = Popular(log, ITEMS, window_days=2)
    assert popular.counts(8 * DAY).dtype == np.float64
    assert ranked_lists(popular, question, 5).tolist() == [[0, 1, 3, 4, -1]]


def test_everybody_gets_the_same_popular_items():
    log = log_of(in_days([[(1, 2, 1), (8, 0, 1)], [(1, 2, 1), (8, 1, 1)]]))
    question = ask(log, Target.ALL, 5 * DAY, None)
    scores = Popular(log, ITEMS).scores(question, slice(0, 2))
    assert scores.tolist() == [[0, 0, 2, 0, 0]] * 2


@settings(deadline=None)
@given(USERS, st.sampled_from([1.0, 3.0, 7.0]))
def test_personal_frequency_orders_own_items_by_decayed_weight_then_popular(
    users, half_life
):
    users = [[*user, (20, 0, 1)] for user in users]  # so that everybody is asked
    log = log_of(in_days(users))
    question = ask(log, Target.ALL, 15 * DAY, None)
    scores = PersonalFrequency(log, ITEMS, half_life).scores(
        question, slice(0, len(users))
    )
    popular = [0.0] * ITEMS
    for day, item, kind in (event for user in users for event in user):
        popular[item] += WEIGHT[kind] if day < 15 else 0
    for row, user in zip(scores, users, strict=True):
        own = [0.0] * ITEMS
        for day, item, kind in user:
            if day < 15:
                own[item] += WEIGHT[kind] * 2 ** ((day - 15) / half_life)
        for a in range(ITEMS):
            for b in range(ITEMS):
                if own[a] > own[b] and not math.isclose(own[a], own[b], rel_tol=1e-6):
                    assert row[a] > row[b]
                if own[a] == own[b] == 0 and popular[a] > popular[b]:
                    assert row[a] > row[b]


def test_popularity_stays_below_what_one_had_long_ago():
    """With half-lives of a week, an event of a year ago weighs 1e-16."""
    users = [[(0, 3, 1), (400, 1, 1)], [(398, 2, 1), (399, 2, 1), (400, 1, 1)]]
    log = log_of(in_days(users))
    question = ask(log, Target.ALL, 400 * DAY, None)
    scores = PersonalFrequency(log, ITEMS, 7.0).scores(question, slice(0, 1))
    assert scores[0].argmax() == 3


class Lists:
    """Lists one item first: what a grid may choose from."""

    def __init__(self, log, items, favourite=0):
        self.row = np.eye(items)[int(favourite)]

    def scores(self, question, rows):
        return np.broadcast_to(self.row, (len(question.user[rows]), len(self.row)))


@pytest.mark.parametrize("bought", range(ITEMS))
def test_tune_picks_the_best_of_the_grid(bought):
    log = log_of([[(1, 0, 1), (9, bought, 1)]])
    question = ask(log, Target.ALL, 5, None)
    grid = tuple({"favourite": n} for n in range(ITEMS))
    chosen = tune(Baseline("lists", Lists, grid), question, log, ITEMS, 1)
    assert chosen == {"favourite": bought}


def test_of_equals_the_first_is_chosen_and_a_single_one_without_asking():
    log = log_of([[(1, 0, 1)]])
    nobody = ask(log, Target.ALL, 5, None)
    grid = ({"favourite": 3}, {"favourite": 1})
    assert tune(Baseline("lists", Lists, grid), nobody, log, ITEMS, 1) == grid[0]
    assert tune(Baseline("popular", Popular), nobody, log, ITEMS, 1) == {}


def test_the_baselines_are_made_with_each_of_their_parameters():
    log = log_of([[(1, 0, 1), (9, 1, 1)]])
    question = ask(log, Target.ALL, 5, None)
    assert [b.name for b in BASELINES] == [
        "popular", "recently_popular", "personal_frequency",
    ]  # fmt: skip
    for baseline in BASELINES:
        for parameters in baseline.grid:
            made = baseline.make(log, ITEMS, **parameters)
            assert made.scores(question, slice(0, 1)).shape == (1, ITEMS)
