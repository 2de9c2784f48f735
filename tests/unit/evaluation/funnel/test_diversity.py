import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluation.funnel.worlds import ITEMS, question_of
from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation.funnel.diversity import (
    DIVERSITIES,
    distinct,
    diversity_curve,
    sample_of,
)

CONFIG = EvaluationConfig(ks=(2,), k=2, resamples=200)
COLOUR = np.array([b"red", b"red", b"", b"blue", b"green", b"", b"blue"], object)


@given(
    st.lists(
        st.lists(st.integers(-1, ITEMS - 1), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_distinct_values_are_counted_a_list(lists):
    counts = []
    for listed in lists:
        names = {COLOUR[item] for item in listed if item >= 0}
        counts.append(len(names - {b""}))
    assert distinct(np.array(lists), COLOUR) == pytest.approx(sum(counts) / len(counts))


def lists_at(diversity):
    """A hit for both without diversity, for the first user only with some."""
    return np.array([[0, 1], [3, 6]] if diversity == 0 else [[0, 3], [4, 1]])


def test_the_curve_has_the_metrics_of_each_setting():
    content = sp.csr_matrix(np.eye(ITEMS, dtype=np.float32))
    question = question_of([[0], [3]])
    points = diversity_curve(
        lists_at, question, CONFIG, {"colour": COLOUR}, content, ITEMS
    )
    assert [point.diversity for point in points] == list(DIVERSITIES)
    plain, *spread = points
    assert plain.metrics == {"ndcg@2": 1.0, "recall@2": 1.0}
    assert plain.distinct == {"colour": 1.0}
    assert plain.list_metrics["coverage@2"] == pytest.approx(4 / 7)
    assert plain.list_metrics["diversity@2"] == pytest.approx(1.0)
    assert plain.differences["ndcg@2"].low == plain.differences["ndcg@2"].high == 0
    for point in spread:
        assert point.metrics == {"ndcg@2": 0.5, "recall@2": 0.5}
        assert point.distinct == {"colour": 2.0}
        # Resampled users are either the one with a hit or the one without.
        assert (
            point.differences["recall@2"].low,
            point.intervals["recall@2"].high,
        ) == (
            -1,
            1,
        )
        assert point.differences["recall@2"].high == 0


def test_a_shop_without_contents_has_a_curve_too():
    points = diversity_curve(lists_at, question_of([[0], [3]]), CONFIG, {}, None, ITEMS)
    assert set(points[0].list_metrics) == {"coverage@2", "gini@2"}
    assert points[0].distinct == {}


def test_a_sample_is_of_the_seed_and_keeps_its_targets():
    question = question_of([[n % ITEMS] for n in range(50)])
    some = sample_of(question, 10, seed=3)
    assert len(some.user) == 10
    assert (np.diff(some.user) > 0).all()
    assert some.targets.items.tolist() == [(u // 3) % ITEMS for u in some.user.tolist()]
    assert sample_of(question, 10, seed=3).user.tolist() == some.user.tolist()
    assert sample_of(question, 10, seed=4).user.tolist() != some.user.tolist()
    assert len(sample_of(question, 99, seed=3).user) == 50
