"""Which shapes an input takes: a placeholder's is a rule, an inner tensor's is not."""

import numpy as np
import pytest
import tensorflow as tf

from serving.server.errors import ServingError
from serving.server.models.servable import Servable

v1 = tf.compat.v1


def save_upstream_half_plus_two(folder):
    """As TensorFlow Serving's own test model: `x` is fed behind parse_example."""
    with v1.Session(graph=tf.Graph()) as session:
        examples = v1.placeholder(tf.string, name="tf_example", shape=[None])
        features = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        x = tf.identity(v1.parse_example(examples, features)["x"], name="x")
        y = tf.add(tf.multiply(0.5, x), 2.0, name="y")
        row = v1.placeholder(tf.float32, name="row", shape=[None, 1])
        halved = tf.multiply(0.5, row)
        definitions = {
            "serving_default": v1.saved_model.predict_signature_def({"x": x}, {"y": y}),
            "strict": v1.saved_model.predict_signature_def({"x": row}, {"y": halved}),
        }
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, [tf.saved_model.SERVING], signature_def_map=definitions
        )
        builder.save()


@pytest.fixture(scope="module")
def servable(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upstream") / "1"
    save_upstream_half_plus_two(folder)
    servable = Servable("hp2", 1, folder)
    yield servable
    servable.close()


@pytest.mark.parametrize("shape", [(), (2,), (2, 1), (2, 2), (0,)])
def test_an_inner_tensor_takes_any_shape(servable, shape):
    outputs = servable.run("serving_default", {"x": np.full(shape, 1, np.float32)})
    assert outputs["y"].shape == shape
    assert np.asarray(outputs["y"]).ravel().tolist() == [2.5] * int(np.prod(shape))


def test_a_placeholder_takes_its_own(servable):
    outputs = servable.run("strict", {"x": np.ones((2, 1), np.float32)})
    assert outputs["y"].tolist() == [[0.5], [0.5]]
    with pytest.raises(ServingError, match=r"shape \[2, 2\], expected \[\?, 1\]"):
        servable.run("strict", {"x": np.ones((2, 2), np.float32)})
    with pytest.raises(ServingError, match="dtype float64, expected float"):
        servable.run("strict", {"x": np.ones((2, 1))})
