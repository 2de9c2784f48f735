"""A SavedModel asked in this process fills in what a server would."""

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfrs_app.evaluation.saved_model import SavedModel


class Times(tf.Module):
    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int32, name="n"),
            tf.TensorSpec([], tf.int32, name="by"),
        ]
    )
    def times(self, n, by):
        return {"product": n * by}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    module = Times()
    tf.saved_model.save(module, str(folder), {"times": module.times})
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    defaults = saved.meta_graphs[0].signature_def["times"].defaults
    defaults["by"].CopyFrom(tf.make_tensor_proto(10, tf.int32))
    path.write_bytes(saved.SerializeToString())
    return SavedModel(folder)


def test_its_signatures_are_named(model):
    assert model.signatures == ["times"]


def test_what_is_left_out_has_its_default(model):
    assert model.ask("times", {"n": [1, 2]})["product"].tolist() == [10, 20]


def test_what_is_given_counts(model):
    assert model.ask("times", {"n": [3], "by": 4})["product"].tolist() == [12]


def test_what_has_no_default_must_be_given(model):
    with pytest.raises(TypeError, match=r"\bn\b"):
        model.ask("times", {"by": 4})
