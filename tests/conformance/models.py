"""The models that the cases ask: their answers are known by construction."""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"


class HalfPlusTwo(tf.Module):
    """y = x / 2 + 2, y2 = x / 2 + 3, y3 = x2 / 2 + 3, as upstream's test model."""

    def __init__(self):
        super().__init__()
        self.half = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def predict(self, x):
        return {"y": self.half * x + 2}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def examples(self, inputs):
        features = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        x = tf.io.parse_example(inputs, features)["x"]
        return {
            "y": self.half * x + 2,
            "y2": self.half * x + 3,
            "labels": tf.where(x < 10, "few", "many"),
            "flat": tf.squeeze(x, 1),
            "wide": tf.concat([x, x], 1),
            "whole": tf.cast(x, tf.int32),
            "short": x[:1],
        }

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="inputs")])
    def x2(self, inputs):
        return {"y3": self.half * inputs + 3}


# Name -> method, the function behind it, its outputs by alias.
SIGNATURES = {
    "regress_x_to_y": (REGRESS, "examples", {"outputs": "y"}),
    "regress_x_to_y2": (REGRESS, "examples", {"outputs": "y2"}),
    "regress_flat": (REGRESS, "examples", {"outputs": "flat"}),
    "regress_wide": (REGRESS, "examples", {"outputs": "wide"}),
    "regress_whole": (REGRESS, "examples", {"outputs": "whole"}),
    "regress_short": (REGRESS, "examples", {"outputs": "short"}),
    "regress_misnamed": (REGRESS, "examples", {"y": "y"}),
    "regress_two": (REGRESS, "examples", {"outputs": "y", "y2": "y2"}),
    "regress_x2_to_y3": (REGRESS, "x2", {"outputs": "y3"}),
    "classify_x_to_y": (CLASSIFY, "examples", {"scores": "y"}),
    "classify_labels": (CLASSIFY, "examples", {"classes": "labels"}),
    "classify_both": (CLASSIFY, "examples", {"classes": "labels", "scores": "y"}),
    "classify_flat": (CLASSIFY, "examples", {"scores": "flat"}),
    "classify_whole": (CLASSIFY, "examples", {"scores": "whole"}),
    "classify_uneven": (CLASSIFY, "examples", {"classes": "labels", "scores": "wide"}),
    "classify_misnamed": (CLASSIFY, "examples", {"y": "y"}),
    "classify_three": (
        CLASSIFY, "examples", {"classes": "labels", "scores": "y", "y2": "y2"},
    ),
    "classify_x2_to_y3": (CLASSIFY, "x2", {"scores": "y3"}),
}  # fmt: skip


def save_half_plus_two(folder: Path) -> None:
    """Saves the model; all signatures over examples feed one and the same tensor."""
    module = HalfPlusTwo()
    functions = {
        "serving_default": module.predict,
        "examples": module.examples,
        "x2": module.x2,
    }
    tf.saved_model.save(module, str(folder), signatures=functions)
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    definitions = model.meta_graphs[0].signature_def
    for name, (method, function, outputs) in SIGNATURES.items():
        definition = definitions[name]
        definition.method_name = method
        definition.inputs["inputs"].CopyFrom(definitions[function].inputs["inputs"])
        for alias, output in outputs.items():
            definition.outputs[alias].CopyFrom(definitions[function].outputs[output])
    del definitions["examples"], definitions["x2"]
    path.write_bytes(model.SerializeToString())


class Echo(tf.Module):
    """Answers what it was asked, one signature a type, and shapes on demand."""

    @tf.function(
        input_signature=[
            tf.TensorSpec(None, tf.int32, name="i"),
            tf.TensorSpec(None, tf.string, name="s"),
        ]
    )
    def two(self, i, s):
        return {"i": tf.identity(i), "s": tf.identity(s)}

    @tf.function(
        input_signature=[
            tf.TensorSpec(None, tf.int32, name="i"),
            tf.TensorSpec(None, tf.string, name="s"),
            tf.TensorSpec(None, tf.float32, name="f"),
            tf.TensorSpec(None, tf.float64, name="d"),
        ]
    )
    def four(self, i, s, f, d):
        return {"i": i, "s_bytes": s, "f": f, "d": d}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, name="x")])
    def uneven(self, x):
        return {"a": tf.identity(x), "b": x[:1]}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def total(self, x):
        return {"sum": tf.reduce_sum(x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 13], tf.float32, name="dense")])
    def dense(self, dense):
        return {"score": tf.reduce_sum(dense, axis=1)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, name="a"),
            tf.TensorSpec([None, 3], tf.float32, name="b"),
        ]
    )
    def joined(self, a, b):
        return {"joined": tf.concat([a, b], 1)}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.string, name="s")])
    def both_texts(self, s):
        return {"text": tf.identity(s), "text_bytes": tf.identity(s)}

    @tf.function(input_signature=[])
    def nothing(self):
        return {"answer": tf.constant([42])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def fails(self, x):
        return {"y": tf.debugging.check_numerics(x, "m" * 2000)}


ECHOED = (
    "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool", "string", "complex64",
)  # fmt: skip


def _echo_of(dtype: str):
    @tf.function(input_signature=[tf.TensorSpec(None, dtype, name="x")])
    def echo(x):
        return {"y": tf.identity(x)}

    return echo


def save_echo(folder: Path) -> None:
    module = Echo()
    own = {name: getattr(module, name) for name in (
        "two", "four", "uneven", "total", "dense", "joined", "both_texts", "nothing",
        "fails",
    )}  # fmt: skip
    typed = {name: _echo_of(name) for name in ECHOED}
    tf.saved_model.save(module, str(folder), signatures=own | typed)


DEFAULT_K = tf.constant(2)


class Plus(tf.Module):
    """y = x + the version's number, or + `k` where it is sent."""

    def __init__(self, number: float):
        super().__init__()
        self.number = tf.constant(number)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def plus(self, x):
        return {"y": x + self.number}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="x"),
            tf.TensorSpec([], tf.int32, name="k"),
        ]
    )
    def times(self, x, k=DEFAULT_K):
        return {"y": x * tf.cast(k, tf.float32)}


def save_plus(folder: Path, number: float) -> None:
    module = Plus(number)
    tf.saved_model.save(
        module,
        str(folder),
        signatures={"serving_default": module.plus, "times": module.times},
    )


def save_all(root: Path) -> None:
    """Saves every model under its base path `<root>/<name>`."""
    save_half_plus_two(root / "hp2" / "00000123")
    save_echo(root / "echo" / "1")
    for version in (1, 2):
        save_plus(root / "plus" / str(version), float(version))
