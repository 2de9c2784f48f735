"""No baseline can see the future: events from the moment on change nothing."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tfrs_app.evaluation.baselines import FAMILIES
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask

MOMENT = 10
CONTENT = sp.csr_matrix(np.eye(5, 3, dtype=np.float32))
BEFORE = [
    [(1, 0, 1), (4, 1, 1), (9, 2, 0)],
    [(2, 1, 1), (3, 2, 1)],
    [(5, 3, 1), (5, 0, 1)],
    [(6, 2, 1), (9, 0, 1), (9, 1, 1)],
]


def scores(family, after):
    users = [[*user, *later] for user, later in zip(BEFORE, after, strict=True)]
    log = log_of(users)
    past = Past.of(log, MOMENT, 5, CONTENT)
    # The question, and so the users asked, stays the same; only the log differs.
    asked = ask(log, Target.ALL, MOMENT, None)
    values = {name: options[0] for name, options in family.values.items()}
    values |= {"factors": 2} if "factors" in values else {}
    return family.fit(past, **values).scores(asked, slice(0, len(BEFORE)))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_events_from_the_moment_on_change_no_score(family):
    one = [[(10, 4, 1)]] * 4
    other = [[(10, 3, 1), (11, 3, 1)], [(12, 0, 1)], [(10, 1, 1)] * 5, [(99, 4, 1)]]
    np.testing.assert_array_equal(scores(family, one), scores(family, other))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_value_that_tuning_tries_makes_a_scorer(family):
    log = log_of([[*user, (10, 4, 1)] for user in BEFORE])
    past = Past.of(log, MOMENT, 5, CONTENT)
    question = ask(log, Target.ALL, MOMENT, None)
    first = {name: options[0] for name, options in family.values.items()}
    for name, options in family.values.items():
        for value in options:
            found = family.fit(past, **{**first, name: value})
            assert np.isfinite(found.scores(question, slice(0, 4))).all()


def test_a_question_of_another_moment_is_refused():
    log = log_of([[(1, 0, 1), (5, 1, 1), (9, 1, 1)]])
    past = Past.of(log, 5, 5)
    later = ask(log, Target.ALL, 9, None)
    with pytest.raises(ValueError, match="a question of 9 was put to a past that ends"):
        past.queries(later, slice(0, 1), None)


@given(USERS, st.integers(0, 7), st.sampled_from([None, 1e-5]))
def test_interactions_are_decayed_sums(users, moment, half_life):
    past = Past.of(log_of(users), moment, 5)
    table = np.zeros((len(users), 5))
    for number, user in enumerate(users):
        for time, item, kind in user:
            if time < moment:
                age_days = (moment - time) / 86400
                decay = 1 if half_life is None else 2 ** -(age_days / half_life)
                table[number, item] += (0.5, 1.0)[kind] * decay
    found = past.interactions(half_life).toarray()
    np.testing.assert_allclose(found, table, rtol=1e-5)
    clipped = past.strengths(half_life).toarray()
    np.testing.assert_allclose(clipped, np.minimum(table, 1), rtol=1e-5)
    assert past.users_an_item.tolist() == (table > 0).sum(axis=0).tolist()


def test_a_state_is_made_once_for_a_key_and_then_replaced():
    past, made = Past.of(log_of([[(1, 0, 1)]]), 5, 5), []
    for key in (1, 1, 2, 1):
        past.latest("state", key, lambda key=key: made.append(key))
    past.latest("other", 3, lambda: made.append(3))
    past.latest("state", 1, lambda: made.append(1))
    assert made == [1, 2, 1, 3]
