import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.export.index import (
    ExactIndex,
    ScannIndex,
    TrainedScann,
    best_allowed,
    number_of_distinct,
)


def unit(rows, dim=16, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [0, 1, 10, 50])
@pytest.mark.parametrize("batch", [0, 1, 4])
def test_the_exact_index_is_a_sort(count, batch):
    items, queries = unit(50), unit(batch, seed=1)
    rows, scores = ExactIndex(tf.Variable(items)).search(queries, tf.constant(count))
    expected = np.argsort(-(queries @ items.T), axis=1)[:, :count]
    assert rows.numpy().tolist() == expected.tolist()
    products = np.take_along_axis(queries @ items.T, expected, axis=1)
    np.testing.assert_allclose(scores, products, atol=1e-6)


@pytest.mark.parametrize("count", [1, 10, 100])
def test_scann_misses_nothing_in_the_partitions_it_searches(count):
    items, queries = unit(2000), unit(40, seed=1)
    index = ScannIndex(TrainedScann(items), 1.0)
    rows, scores = index.search(tf.constant(queries), tf.constant(count))
    expected = np.argsort(-(queries @ items.T), axis=1)[:, :count]
    assert rows.numpy().tolist() == expected.tolist()
    products = np.take_along_axis(queries @ items.T, expected, axis=1)
    np.testing.assert_allclose(scores, products, atol=1e-4)


def test_scann_marks_what_it_did_not_find():
    index = ScannIndex(TrainedScann(unit(2000)), 0.01)
    _, scores = index.search(tf.constant(unit(1, seed=1)), tf.constant(2000))
    assert len(scores[0]) < 2000 or (scores.numpy() == -math.inf).any()
    assert not np.isnan(scores).any()


FOUND = st.lists(
    st.tuples(st.integers(0, 20), st.floats(-1, 1, width=16)),
    min_size=1, max_size=8, unique_by=(lambda pair: pair[0], lambda pair: pair[1]),
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(FOUND, st.lists(st.integers(-1, 20), max_size=5), st.integers(0, 10))
def test_best_allowed_drops_sorts_and_fills_up(found, excluded, width):
    rows, scores = zip(*found, strict=True)
    kept = sorted((p for p in found if p[0] not in excluded), key=lambda p: -p[1])
    listed, values = best_allowed(
        tf.constant([rows], tf.int32),
        tf.constant([scores], tf.float32),
        tf.constant([excluded], tf.int32),
        tf.constant(width),
    )
    assert listed.shape == values.shape == (1, width)
    real = [
        (int(row), float(score))
        for row, score in zip(listed[0], values[0], strict=True)
        if score > -math.inf
    ]
    assert real == kept[:width]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[3, 1, 3, -1], [-1, -1, -1, -1], [0, 0, 0, 0], [4, 3, 2, 1]], [2, 0, 1, 4]),
        ([[], []], [0, 0]),
    ],
)
def test_number_of_distinct(rows, expected):
    answer = number_of_distinct(tf.constant(rows, tf.int32))
    assert answer.numpy().tolist() == expected
