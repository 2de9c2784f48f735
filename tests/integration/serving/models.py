"""Small SavedModels whose answers are known by construction."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.server.models.model_config import ModelConfig
from serving.server.options import ServerOptions


def free(models: dict[str, Path], **options) -> ServerOptions:
    """Returns options that serve base paths on free ports."""
    configs = {name: ModelConfig(path) for name, path in models.items()}
    return ServerOptions(configs, **{"grpc_port": 0, "rest_port": 0, **options})


DEFAULT_K = tf.constant(2)
DEFAULT_SUFFIX = tf.constant(["!"])


class HalfPlusTwo(tf.Module):
    """y = x / 2 + 2, and signatures that misbehave on purpose."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def half_plus_two(self, x):
        return {"y": x / 2 + 2}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def any_rank(self, x):
        return {"y": x / 2 + 2}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def no_nan(self, x):
        return {"y": tf.debugging.check_numerics(x, "m" * 2000)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def slow(self, x):
        """Takes some seconds."""
        square = tf.fill([400, 400], x[0])
        for _ in tf.range(1200):
            square = tf.matmul(square, square) / 1e9
        return {"y": x / 2 + 2 + 0 * square[0, :1]}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def total(self, x):
        return {"sum": tf.reduce_sum(x)}


class Words(tf.Module):
    """Joins the first k words of each row; `k` and `suffix` have defaults."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string, name="words"),
            tf.TensorSpec([None], tf.float32, name="weight"),
            tf.TensorSpec([], tf.int32, name="k"),
            tf.TensorSpec([None], tf.string, name="suffix"),
        ]
    )
    def join(self, words, weight, k=DEFAULT_K, suffix=DEFAULT_SUFFIX):
        joined = tf.strings.reduce_join(words[:, :k], axis=1) + suffix
        return {
            "joined": joined,
            "joined_bytes": joined,
            "length": tf.strings.length(joined, unit="UTF8_CHAR"),
            "weight": weight,
        }


def save_half_plus_two(folder: Path) -> None:
    module = HalfPlusTwo()
    tf.saved_model.save(
        module,
        str(folder),
        signatures={
            "serving_default": module.half_plus_two,
            "any_rank": module.any_rank,
            "no_nan": module.no_nan,
            "total": module.total,
            "slow": module.slow,
        },
    )


def save_words(folder: Path) -> None:
    module = Words()
    tf.saved_model.save(
        module, str(folder), signatures={"serving_default": module.join}
    )


def item_embeddings() -> np.ndarray:
    """Returns unit vectors, `[500, 8]`: an item's best match is itself."""
    vectors = np.random.default_rng(7).normal(size=(500, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


def save_scann(folder: Path) -> None:
    """Saves an index over `item_embeddings`: tree, anisotropic hashing, reordering."""
    from scann.scann_ops.py import scann_ops

    searcher = (
        scann_ops.builder(item_embeddings(), 3, "dot_product")
        .tree(num_leaves=10, num_leaves_to_search=10, training_sample_size=500)
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(100)
        .build()
    )

    class Index(tf.Module):
        def __init__(self):
            super().__init__()
            self.state = searcher.serialize_to_module()

        @tf.function(input_signature=[tf.TensorSpec([None, 8], name="query")])
        def retrieve(self, query):
            index = scann_ops.searcher_from_module(self.state)
            items, scores = index.search_batched(query)
            return {"item": items, "score": scores}

    module = Index()
    tf.saved_model.save(
        module,
        str(folder),
        signatures={"serving_default": module.retrieve},
        options=tf.saved_model.SaveOptions(namespace_whitelist=["Scann"]),
    )


def write_warmup(folder: Path, *inputs: dict[str, np.ndarray]) -> None:
    """Writes Predict records for the default signature beside a SavedModel."""
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in inputs:
            request = predict_pb2.PredictRequest()
            for name, value in record.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
