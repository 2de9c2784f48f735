import numpy as np
import tensorflow as tf

from tfrs_app.layers.items import ItemContent, ItemIds


def test_items_outside_the_vocabulary_have_no_embedding():
    layer = ItemIds(known=2, dim=3)
    answer = layer(tf.constant([[0, 1, 2], [3, 4, 9]])).numpy()
    table = layer.table.get_weights()[0]
    assert table.shape == (4, 3)
    nothing = np.zeros(3)
    expected = [[nothing, nothing, table[2]], [table[3], nothing, nothing]]
    np.testing.assert_array_equal(answer, expected)


def test_content_is_read_by_index_in_any_shape():
    class Doubled(tf.keras.layers.Layer):
        def call(self, inputs, renew):
            return [tf.cast(inputs["a"], tf.float32)[..., tf.newaxis] * 2, inputs["b"]]

    layer = ItemContent(Doubled(), {"a": np.array([0, 0, 5, 7]), "b": np.arange(4.0)})
    for index in ([3], [[2, 0], [1, 3]], []):
        first, second = layer(tf.constant(index, tf.int32))
        expected = np.array([0, 0, 10, 14])[np.array(index, int)]
        np.testing.assert_array_equal(first.numpy()[..., 0], expected)
        np.testing.assert_array_equal(second.numpy(), np.array(index, float))
