import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation.baselines.shops import (
    ITEMS,
    USERS,
    asked,
    clipped,
    everybody,
    summed,
)
from tfrs_app.evaluation.baselines import item_knn
from tfrs_app.evaluation.baselines.item_knn import fit_item_knn

HALF_LIFE = st.sampled_from([None, 4.0])


def plain_similarity(users, half_life, shrinkage):
    x = clipped(summed(users, half_life))
    similarity = [[0.0] * ITEMS for _ in range(ITEMS)]
    for i in range(ITEMS):
        for j in range(ITEMS):
            dot = sum(row[i] * row[j] for row in x)
            lengths = math.sqrt(sum(row[i] ** 2 for row in x)) * math.sqrt(
                sum(row[j] ** 2 for row in x)
            )
            if i != j and dot > 0:
                similarity[i][j] = dot / (lengths + shrinkage)
    return similarity


@settings(deadline=None)
@given(USERS, HALF_LIFE, st.sampled_from([0.0, 3.0]), HALF_LIFE)
def test_all_neighbours_vote_by_their_shrunk_cosine(users, half, shrinkage, query):
    past, question = asked(users)
    scorer = fit_item_knn(past, half, shrinkage, ITEMS, query)
    similarity = plain_similarity(users, half, shrinkage)
    expected = [
        [sum(row[i] * similarity[i][j] for i in range(ITEMS)) for j in range(ITEMS)]
        for row in summed(users, query)
    ]
    np.testing.assert_allclose(everybody(scorer, question), expected, atol=1e-5)


# Items 0 and 1 go together three times, 0 and 2 twice, 0 and 3 once.
USERS_OF_ZERO = [
    *([[(1, 0, 1), (1, 1, 1), (1, 2, 1)]] * 2),
    [(1, 0, 1), (1, 1, 1)],
    [(1, 0, 1), (1, 3, 1)],
]


@pytest.mark.parametrize(
    ("neighbours", "voted"), [(1, {1}), (2, {1, 2}), (3, {1, 2, 3})]
)
def test_only_the_nearest_are_kept(neighbours, voted):
    past, _ = asked(USERS_OF_ZERO)
    similarity = fit_item_knn(past, None, 0.0, neighbours, None).similarity
    assert set(similarity[0].indices.tolist()) == voted


def test_fewer_neighbours_follow_more_of_the_same_past():
    """The wide list is kept between grid points: the narrow one is cut from it."""
    past, question = asked(USERS_OF_ZERO)
    wide = fit_item_knn(past, None, 0.0, 3, None)
    narrow = fit_item_knn(past, None, 0.0, 1, None)
    fresh, _ = asked(USERS_OF_ZERO)
    again = fit_item_knn(fresh, None, 0.0, 1, None)
    assert (everybody(narrow, question) == everybody(again, question)).all()
    assert (everybody(wide, question) != everybody(narrow, question)).any()


def test_of_too_many_items_those_with_most_users_have_neighbours(monkeypatch):
    monkeypatch.setattr(item_knn, "MOST_ITEMS", 2)
    past, _ = asked(USERS_OF_ZERO)
    similarity = fit_item_knn(past, None, 0.0, 3, None).similarity
    assert sorted(zip(*similarity.nonzero(), strict=True)) == [(0, 1), (1, 0)]


def test_blocks_do_not_matter(monkeypatch):
    past, question = asked(USERS_OF_ZERO)
    whole = everybody(fit_item_knn(past, None, 1.0, 3, None), question)
    monkeypatch.setattr(item_knn, "ITEMS_A_STEP", 3)
    past, question = asked(USERS_OF_ZERO)
    stepped = everybody(fit_item_knn(past, None, 1.0, 3, None), question)
    np.testing.assert_allclose(stepped, whole)
