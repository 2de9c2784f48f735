import numpy as np
import pytest

from tests.unit.data.logs import log_of
from tfrs_app.evaluation.baselines.family import Family
from tfrs_app.evaluation.baselines.tuning import tune
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask

ITEMS = 5


class Lists:
    """Lists one item first: what a grid may choose from."""

    def __init__(self, past, favourite=0, spoilt=False):
        self.row = np.eye(ITEMS)[favourite] * (-1 if spoilt else 1)

    def scores(self, question, rows):
        return np.tile(self.row, (len(question.user[rows]), 1))


def tuned(users, values, moment=5):
    log = log_of(users)
    questions = {target: ask(log, target, moment, None) for target in Target}
    return tune(
        Family("lists", Lists, values), Past.of(log, moment, ITEMS), questions, 1
    )


@pytest.mark.parametrize("bought", range(ITEMS))
def test_the_best_of_the_values_is_chosen(bought):
    found = tuned([[(1, 0, 1), (9, bought, 1)]], {"favourite": tuple(range(ITEMS))})
    assert found.parameters[Target.ALL] == {"favourite": bought}
    assert found.validation[Target.ALL] == 1.0


def test_each_target_has_its_own():
    # Two buy 0 again and new items 1, 3; one buys 2 for the first time.
    users = [
        [(1, 0, 1), (9, 0, 1)],
        [(1, 0, 1), (9, 0, 1)],
        [(1, 0, 1), (9, 2, 1)],
    ]
    found = tuned(users, {"favourite": (1, 0, 2)})
    assert found.parameters == {
        Target.ALL: {"favourite": 0},
        Target.FIRST_PURCHASE: {"favourite": 2},
    }
    assert found.validation[Target.ALL] == pytest.approx(2 / 3)
    assert found.points == 3  # measured once for both


def test_parameters_are_searched_one_after_the_other():
    values = {"favourite": (1, 3, 2), "spoilt": (False, True)}
    found = tuned([[(1, 0, 1), (9, 3, 1)]], values)
    assert found.parameters[Target.ALL] == {"favourite": 3, "spoilt": False}
    assert found.points == 4  # 3 favourites, then the best of them spoilt


def test_of_equals_the_first_is_chosen():
    found = tuned([[(1, 0, 1)]], {"favourite": (3, 1)})  # nobody is asked
    assert found.parameters[Target.ALL] == {"favourite": 3}
    assert found.validation[Target.ALL] == 0.0


def test_a_baseline_without_parameters_is_measured_all_the_same():
    found = tuned([[(1, 1, 1), (9, 0, 1)]], {})
    assert found.parameters[Target.ALL] == {}
    assert found.validation[Target.ALL] == 1.0
