import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.training.optimizers import LazyAdam

START = np.arange(12, dtype=np.float32).reshape(4, 3)


def gradients(steps, rows=None, seed=3):
    """One gradient a step; sparse ones if rows are given."""
    random = np.random.default_rng(seed)
    for _ in range(steps):
        values = random.normal(size=(4 if rows is None else len(rows), 3))
        values = tf.constant(values, tf.float32)
        yield (
            values
            if rows is None
            else tf.IndexedSlices(values, tf.constant(rows), tf.constant([4, 3]))
        )


def after(optimizer, all_gradients):
    variable = tf.Variable(START)
    for gradient in all_gradients:
        optimizer.apply_gradients([(gradient, variable)])
    return variable.numpy()


def adam(gradients_of_rows, rate=0.1, b1=0.9, b2=0.999, epsilon=1e-7):
    """Adam of Kingma and Ba 2014, section 2, for one row that is always used."""
    m = v = np.zeros(3)
    x = START[0].astype(float)
    for t, g in enumerate(gradients_of_rows, start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        step = rate * np.sqrt(1 - b2**t) / (1 - b1**t)
        x = x - step * m / (np.sqrt(v) + epsilon)
    return x


def test_dense_gradients_move_as_with_keras_adam():
    lazy = after(LazyAdam(0.1), gradients(6))
    keras = after(tf.keras.optimizers.Adam(0.1), gradients(6))
    np.testing.assert_array_equal(lazy, keras)


def test_sparse_gradients_of_all_rows_move_as_with_keras_adam():
    rows = [2, 0, 3, 1]
    lazy = after(LazyAdam(0.1), gradients(6, rows))
    keras = after(tf.keras.optimizers.Adam(0.1), gradients(6, rows))
    np.testing.assert_allclose(lazy, keras, atol=1e-6)


def test_it_is_adam_as_published():
    steps = [g.numpy().astype(float) for g in gradients(5)]
    sparse = [
        tf.IndexedSlices(tf.constant(g, tf.float32), [0, 1, 2, 3], tf.constant([4, 3]))
        for g in steps
    ]
    expected = adam([g[0] for g in steps])
    np.testing.assert_allclose(after(LazyAdam(0.1), sparse)[0], expected, atol=1e-5)


def test_untouched_rows_stay_as_they_are_to_the_bit():
    first = list(gradients(1, [0, 1, 2, 3]))  # now every row has momentum
    variable, optimizer = tf.Variable(START), LazyAdam(0.1)
    optimizer.apply_gradients([(first[0], variable)])
    before = variable.numpy()
    for gradient in gradients(3, [2]):
        optimizer.apply_gradients([(gradient, variable)])
    np.testing.assert_array_equal(variable.numpy()[[0, 1, 3]], before[[0, 1, 3]])
    assert (variable.numpy()[2] != before[2]).all()


def test_a_row_that_stands_twice_gets_the_sum_of_its_gradients():
    twice = tf.IndexedSlices(
        tf.constant([[1.0] * 3, [3.0] * 3]), [1, 1], tf.constant([4, 3])
    )
    once = tf.IndexedSlices(tf.constant([[4.0] * 3]), [1], tf.constant([4, 3]))
    np.testing.assert_array_equal(
        after(LazyAdam(0.1), [twice, twice]), after(LazyAdam(0.1), [once, once])
    )


@pytest.mark.parametrize("rows", [[0], [1, 3]])
def test_it_works_inside_a_graph(rows):
    variable, optimizer = tf.Variable(START), LazyAdam(0.1)
    optimizer.build([variable])
    step = tf.function(lambda g: optimizer.apply_gradients([(g, variable)]))
    for gradient in gradients(4, rows):
        step(gradient)
    np.testing.assert_allclose(
        variable.numpy(), after(LazyAdam(0.1), gradients(4, rows)), atol=1e-6
    )
