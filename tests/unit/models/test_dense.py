import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.models.dense import dense

VALUES = np.array([[1.0, -2.0, 0.5]], np.float32)
KERNEL = np.array([[0.5, 100.0], [0.25, -50.0], [-1.0, 25.0]], np.float32)
BIAS = np.array([1.0, -1.0], np.float32)
EXACT = np.array([[0.5, 211.5]])  # 0.5 - 0.5 - 0.5 + 1 and 100 + 100 + 12.5 - 1


@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float32", 1e-6), ("bfloat16", 1e-2), ("int8", 2e-2)]
)
def test_products_are_near(precision, tolerance):
    product = dense(KERNEL, BIAS, "d", precision)
    np.testing.assert_allclose(product.wide(tf.constant(VALUES)), EXACT, rtol=tolerance)
    assert product.wide(tf.constant(VALUES)).dtype == tf.float32


def test_int8_weights_use_the_whole_range_of_each_output():
    product = dense(KERNEL, BIAS, "d", "int8")
    assert product.kernel.dtype == np.int8
    assert np.abs(product.kernel).max(axis=0).tolist() == [127, 127]


def test_an_output_without_weights_is_its_bias():
    product = dense(np.zeros([3, 2], np.float32), BIAS, "d", "int8")
    np.testing.assert_allclose(product.wide(tf.constant(VALUES)), [BIAS])


def test_variables_carry_the_name():
    product = dense(KERNEL, BIAS, "transformer/layer_3/output", "float32")
    assert sorted(variable.name for variable in product.variables) == [
        "transformer/layer_3/output/bias:0",
        "transformer/layer_3/output/kernel:0",
    ]


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_other_precisions_are_constants_of_the_graph(precision):
    product = dense(KERNEL, BIAS, "d", precision)
    assert not product.variables
    graph = tf.function(product).get_concrete_function(tf.constant(VALUES)).graph
    assert graph.captures == []
