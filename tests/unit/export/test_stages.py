import tensorflow as tf

from tfrs_app.export.stages import shared


class Module(tf.Module):
    """Two signatures over one stage, which counts how often Python runs it."""

    def __init__(self):
        super().__init__()
        self.traces = 0
        self.weight = tf.Variable(3.0)
        self.stage = shared(self._stage)

    def _stage(self, inputs):
        self.traces += 1
        return {"product": inputs["x"] * self.weight}

    def signature(self, added):
        spec = tf.TensorSpec([None], tf.float32, "x")
        return tf.function(lambda x: self.stage({"x": x})["product"] + added, [spec])


def test_a_stage_is_traced_and_saved_once_for_all_signatures(tmp_path):
    module = Module()
    signatures = {"one": module.signature(1.0), "two": module.signature(2.0)}
    tf.saved_model.save(module, str(tmp_path), signatures)
    assert module.traces == 1
    loaded = tf.saved_model.load(str(tmp_path))
    asked = tf.constant([1.0, 2.0])
    for name, answer in {"one": [4.0, 7.0], "two": [5.0, 8.0]}.items():
        (values,) = loaded.signatures[name](x=asked).values()
        assert values.numpy().tolist() == answer
    # The stage is a part of the signatures, not a function that a model offers.
    assert not hasattr(loaded, "stage")


def test_other_shapes_make_another_graph_with_the_right_answer():
    module = Module()
    for values in ([1.0], [1.0, 2.0], [5.0, 6.0]):
        product = module.stage({"x": tf.constant(values)})["product"]
        assert product.numpy().tolist() == [3.0 * value for value in values]
    assert module.traces == 2
