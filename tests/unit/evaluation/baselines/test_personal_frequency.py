import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation.baselines.shops import ITEMS, USERS, asked, everybody, summed
from tfrs_app.evaluation.baselines.personal_frequency import fit_personal_frequency


@settings(deadline=None)
@given(USERS, st.sampled_from([1.0, 3.0, 7.0]))
def test_own_items_come_by_decayed_weight_and_then_popular_ones(users, half_life):
    past, question = asked(users)
    scores = everybody(fit_personal_frequency(past, half_life), question)
    own = summed(users, half_life)
    popular = [sum(column) for column in zip(*summed(users, None), strict=True)]
    for row, mine in zip(scores, own, strict=True):
        for a in range(ITEMS):
            for b in range(ITEMS):
                if mine[a] > mine[b] and not math.isclose(
                    mine[a], mine[b], rel_tol=1e-5
                ):
                    assert row[a] > row[b]
                if mine[a] == mine[b] == 0 and popular[a] > popular[b]:
                    assert row[a] > row[b]


def test_popularity_stays_below_what_one_had_long_ago():
    """With half-lives of an hour, an event of 14 days ago weighs 1e-101, or 0."""
    past, question = asked([[(1, 3, 1)], [(13, 2, 1), (14, 2, 1)]])
    scores = everybody(fit_personal_frequency(past, 1 / 24), question)
    assert scores[0].argmax() == 3
