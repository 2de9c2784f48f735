import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.layers.grouping import NOTHING, grouped, marked


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
