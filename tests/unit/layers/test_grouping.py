import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.layers.grouping import (
    NOTHING,
    grouped,
    marked,
    sums_by_key,
    sums_by_label,
)


@st.composite
def rows(draw):
    """Keys `[batch, n]` from NOTHING on, few of them so that many are equal."""
    batch, n = draw(st.integers(1, 4)), draw(st.integers(0, 7))
    row = st.lists(st.integers(NOTHING, 4), min_size=n, max_size=n)
    keys = draw(st.lists(row, min_size=batch, max_size=batch))
    return np.array(keys, np.int32).reshape(batch, n)


def sums(keys, values):
    """One row's keys, ascending, each with the sum of its values."""
    total = {}
    for key, value in zip(keys, values, strict=True):
        if key != NOTHING:
            before = total.get(key, [0.0] * len(value))
            total[key] = [a + b for a, b in zip(before, value, strict=True)]
    return sorted(total.items())


@settings(max_examples=60, deadline=None)
@given(rows(), st.integers(1, 3))
def test_the_values_of_equal_keys_are_summed(keys, width):
    values = np.random.default_rng(1).integers(-9, 9, (*keys.shape, width))
    groups = grouped(tf.constant(keys), tf.constant(values, tf.float32))
    for row, key in enumerate(keys.tolist()):
        expected = sums(key, values[row].tolist())
        missing = len(key) - len(expected)
        assert groups.key[row].numpy().tolist() == (
            [key for key, _ in expected] + [NOTHING] * missing
        )
        assert groups.total[row].numpy().tolist() == (
            [total for _, total in expected] + [[0.0] * width] * missing
        )


def test_a_row_of_nothing_has_no_group_and_takes_none_of_its_neighbours():
    keys = [[3, 3], [NOTHING, NOTHING], [0, 3]]
    groups = grouped(tf.constant(keys), tf.ones([3, 2, 1]))
    assert groups.key.numpy().tolist() == [[3, -1], [-1, -1], [0, 3]]
    assert groups.total.numpy()[..., 0].tolist() == [[2, 0], [0, 0], [1, 1]]


SUMS = {
    "by_key": sums_by_key,
    "by_label": lambda *given: sums_by_label(*given, labels=5),
}


@pytest.mark.parametrize("name", SUMS)
@settings(max_examples=60, deadline=None)
@given(rows=rows(), width=st.integers(1, 3))
def test_what_is_asked_for_gets_the_sum_of_its_values(name, rows, width):
    keys = np.maximum(rows, 0)
    values = np.random.default_rng(1).integers(-9, 9, (*keys.shape, width))
    asked = np.tile(np.array([NOTHING, 4, 0, 2, 0], np.int32), (len(keys), 1))
    found = SUMS[name](
        tf.constant(keys), tf.constant(values, tf.float32), tf.constant(asked)
    )
    for row, key in enumerate(keys.tolist()):
        total = dict(sums(key, values[row].tolist()))
        expected = [total.get(one, [0.0] * width) for one in asked[row].tolist()]
        assert found[row].numpy().tolist() == expected


@pytest.mark.parametrize("name", SUMS)
def test_sums_of_any_shape(name):
    graph = tf.function(
        SUMS[name],
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None, 2], tf.float32),
            tf.TensorSpec([None, None], tf.int32),
        ],
    )
    for batch, n, m in [(1, 1, 1), (2, 3, 0), (1, 0, 2), (0, 2, 2)]:
        found = graph(
            tf.fill([batch, n], 3), tf.ones([batch, n, 2]), tf.fill([batch, m], 3)
        )
        assert found.shape == (batch, m, 2)
        assert found.numpy().sum() == batch * m * 2 * n


def test_shapes_may_be_unknown_until_the_graph_runs():
    graph = tf.function(
        grouped,
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None, 1], tf.float32),
        ],
    )
    for batch, n in [(1, 1), (2, 3), (1, 0), (0, 2)]:
        key, total = graph(tf.fill([batch, n], 7), tf.ones([batch, n, 1]))
        assert key.shape == (batch, n)
        assert key.numpy().max(initial=NOTHING) == (7 if batch * n else NOTHING)
        assert total.numpy().sum() == batch * n


@settings(max_examples=60, deadline=None)
@given(rows())
def test_what_a_row_holds_is_marked(keys):
    found = marked(tf.constant(keys), tf.constant(len(keys)), 5).numpy().tolist()
    assert found == [[n in row for n in range(5)] for row in keys.tolist()]


@pytest.mark.parametrize("batch", [1, 3])
def test_one_row_may_stand_for_all(batch):
    found = marked(tf.constant([[2, NOTHING, 0, 2]]), tf.constant(batch), 3)
    assert found.numpy().tolist() == [[True, False, True]] * batch
