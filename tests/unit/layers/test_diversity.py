import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.layers.diversity import diversified


def greedy(score, vectors, width, diversity):
    """One list from the definition of maximal marginal relevance."""
    real = [i for i, s in enumerate(score) if s > -math.inf]
    low, high = (f((score[i] for i in real), default=0.0) for f in (min, max))
    chosen = []

    def worth(i):
        relevance = (score[i] - low) / (high - low) if high > low else 0.0
        alike = [0.0, *(float(vectors[i] @ vectors[j]) for j in chosen)]
        return (1 - diversity) * relevance - diversity * max(alike)

    while len(chosen) < width:
        left = [i for i in real if i not in chosen]
        missing = [i for i in range(len(score)) if i not in real and i not in chosen]
        chosen.append(max(left, key=worth) if left else missing[0])
    return chosen


def case(seed, batch=6, n=9):
    random = np.random.default_rng(seed)
    score = random.normal(0, 5, (batch, n)).astype(np.float32)
    score[random.random((batch, n)) < 0.2] = -math.inf
    vectors = random.normal(size=(batch, n, 3))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return score, vectors


def places(score, vectors, width, diversity):
    answer = diversified(
        tf.constant(score, tf.float32),
        tf.constant(vectors, tf.float32),
        tf.constant(width),
        tf.constant(np.broadcast_to(diversity, len(score)), tf.float32),
    )
    return answer.numpy().tolist()


SIZES = [(6, 9, 9), (6, 9, 4), (6, 9, 0), (1, 1, 1)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("batch", "n", "width"), SIZES)
def test_it_is_the_greedy_choice(seed, batch, n, width):
    score, vectors = case(seed, batch, n)
    diversity = np.random.default_rng(seed).random(batch)  # each list its own
    diversity[0] = seed % 2
    lists = zip(score, vectors, diversity, strict=True)
    assert places(score, vectors, width, diversity) == [
        greedy(s, v, width, d) for s, v, d in lists
    ]


@pytest.mark.parametrize("seed", range(3))
def test_without_diversity_the_order_is_that_of_the_score(seed):
    score, vectors = case(seed)
    expected = np.argsort(-score, axis=1, kind="stable").tolist()
    assert places(score, vectors, 9, 0.0) == expected


def test_without_diversity_scores_that_differ_little_are_no_tie():
    """Beside a list that is diversified, and where a share of the range would round."""
    score = [[-1e3, 1e-6, 2e-6, -1e12, -math.inf], [1.0, 2.0, 3.0, 4.0, 5.0]]
    vectors = case(0, 2, 5)[1]
    assert places(score, vectors, 5, [0.0, 0.7])[0] == [2, 1, 0, 3, 4]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.floats(0, 1, width=32), st.integers(1, 9))
def test_no_place_comes_twice_and_no_candidate_comes_last(seed, diversity, width):
    score, vectors = case(seed)
    for row, chosen in zip(
        score, places(score, vectors, width, diversity), strict=True
    ):
        assert len(set(chosen)) == len(chosen) == width
        real = [bool(row[place] > -math.inf) for place in chosen]
        assert real == sorted(real, reverse=True)
        assert sum(real) == min(width, int((row > -math.inf).sum()))


def test_a_shorter_list_is_the_start_of_a_longer_one():
    whole = places(*case(7), 9, 0.5)
    for width in range(9):
        short = places(*case(7), width, 0.5)
        assert short == [row[:width] for row in whole]


def test_a_copy_waits_until_something_else_was_shown():
    score, vectors = [[1.0, 0.9, 0.5, 0.0]], [[[1, 0], [1, 0], [0, 1], [-1, 0]]]
    assert places(score, vectors, 4, 0.0) == [[0, 1, 2, 3]]
    assert places(score, vectors, 4, 0.5) == [[0, 2, 3, 1]]


def test_what_is_opposite_gains_nothing_over_what_is_unrelated():
    score, vectors = [[1.0, 0.5, 0.4]], [[[1, 0], [0, 1], [-1, 0]]]
    assert places(score, vectors, 3, 0.5) == [[0, 1, 2]]


@pytest.mark.parametrize("diversity", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("score", [-math.inf, 3.0])
def test_equal_scores_and_lists_of_no_candidate_are_still_lists(score, diversity):
    vectors = np.eye(4)[np.newaxis]
    assert places([[score] * 4], vectors, 4, diversity) == [[0, 1, 2, 3]]


def test_no_places_in_a_graph_of_any_shape():
    graph = tf.function(
        diversified,
        input_signature=[
            tf.TensorSpec([None, None]),
            tf.TensorSpec([None, None, 2]),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None]),
        ],
    )
    for batch, n in [(2, 3), (2, 0), (0, 3)]:
        given = tf.ones([batch, n]), tf.ones([batch, n, 2])
        assert graph(*given, tf.constant(0), tf.ones([batch])).shape == (batch, 0)
