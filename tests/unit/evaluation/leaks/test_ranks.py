import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.evaluation.leaks.ranks import auc, rank_correlation, ranks

VALUES = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


@given(VALUES)
def test_ranks_count_the_lower_and_half_the_equal(values):
    expected = [
        sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2
        for value in values
    ]
    assert ranks(np.array(values)).tolist() == expected


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=12))
def test_auc_is_the_share_of_pairs_in_order(rows):
    yes = [value for value, positive in rows if positive]
    no = [value for value, positive in rows if not positive]
    columns = np.array([v for v, _ in rows]), np.array([p for _, p in rows])
    if not yes or not no:
        with pytest.raises(ValueError, match="needs both classes"):
            auc(*columns)
        return
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    assert auc(*columns) == pytest.approx(wins / (len(yes) * len(no)))


def test_rank_correlation_of_known_orders():
    rising = np.arange(5.0)
    assert rank_correlation(rising, np.exp(rising)) == pytest.approx(1)
    assert rank_correlation(rising, -(rising**3)) == pytest.approx(-1)
    assert rank_correlation(rising, np.ones(5)) == 0
    # Of 1 2 3 against 1 3 2: 1 - 6 * 2 / (3 * 8)
    assert rank_correlation(np.array([1, 2, 3]), np.array([1, 3, 2])) == 0.5
