"""A random BERT of toy size, and made-up encoders in the shapes that TF Hub has."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrs_app.models.bert import BertSize
from tfrs_app.models.bert_text import BertText

VOCABULARY = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "wool", "hat", "s", "##s", "a", "b", "c",
)  # fmt: skip
LAYERS, HEADS, WIDTH, INNER, POSITIONS = 3, 2, 8, 12, 16
SIZE = BertSize(LAYERS, HEADS)


def tiny_weights() -> dict[str, np.ndarray]:
    """Arrays by PyTorch's names, kernels `[out, in]`."""
    rng = np.random.default_rng(5)
    shapes = {
        "embeddings.word_embeddings.weight": (len(VOCABULARY), WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for name, (out, width) in {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH),
            "output.dense": (WIDTH, INNER),
        }.items():
            shapes[f"{layer}.{name}.weight"] = (out, width)
            shapes[f"{layer}.{name}.bias"] = (out,)
        for name in ("attention.output", "output"):
            shapes[f"{layer}.{name}.LayerNorm.weight"] = (WIDTH,)
            shapes[f"{layer}.{name}.LayerNorm.bias"] = (WIDTH,)
    return {
        name: rng.normal(scale=0.5, size=shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def tiny_bert(max_tokens: int = 6, precision: str = "float32") -> BertText:
    return BertText(
        tiny_weights(), VOCABULARY, SIZE, max_tokens=max_tokens, precision=precision
    )


def save(module: tf.Module, folder: Path, **options) -> str:
    """Saves a module and returns the handle of its folder."""
    tf.saved_model.save(module, str(folder), **options)
    return str(folder)


STRINGS = [tf.TensorSpec([None], tf.string)]


class LengthEncoder(tf.Module):
    """Embeds a text as (1, its length in bytes): no layer names, one variable."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable([1.0, 1.0], name="scale")

    @tf.function(input_signature=STRINGS)
    def __call__(self, texts):
        length = tf.cast(tf.strings.length(texts), tf.float32)
        return tf.stack([tf.ones_like(length), length], axis=1) * self.scale


class ScaledEncoder(LengthEncoder):
    """Lists its variable as TF Hub's contract asks, without naming a layer."""

    trainable_variables = None

    def __init__(self):
        super().__init__()
        self.trainable_variables = [self.scale]


class Preprocessor(tf.Module):
    """Makes word ids of texts: the bytes of a text, at most four, padded with 0."""

    @tf.function(input_signature=STRINGS)
    def __call__(self, texts):
        codes = tf.strings.unicode_decode(texts, "UTF-8")[:, :4]
        ids = codes.to_tensor(shape=[None, 4])
        mask = tf.sequence_mask(codes.row_lengths(), 4, dtype=tf.int32)
        return {
            "input_word_ids": ids,
            "input_mask": mask,
            "input_type_ids": tf.zeros_like(ids),
        }


IDS = tf.TensorSpec([None, None], tf.int32)


class PairEncoder(tf.Module):
    """Gives `outputs` of word ids: the id times (1, 10), each by its own name."""

    # TF Hub's contract keeps plain lists under these names.
    variables = None
    trainable_variables = None

    def __init__(self, outputs=("pooled_output", "sequence_output")):
        super().__init__()
        self.outputs = outputs
        names = [
            "word_embeddings/embeddings",
            "transformer/layer_0/output/kernel",
            "transformer/layer_1/output/kernel",
            "pooler_transform/kernel",
        ]
        self.variables = [tf.Variable([1.0, 1.0], name=name) for name in names]
        self.trainable_variables = list(self.variables)

    @tf.function(
        input_signature=[
            dict.fromkeys(("input_word_ids", "input_mask", "input_type_ids"), IDS)
        ]
    )
    def __call__(self, inputs):
        ids = tf.cast(inputs["input_word_ids"], tf.float32)[..., tf.newaxis]
        sequence = ids * [1.0, 10.0]
        for variable in self.variables:
            sequence *= variable
        every = {"pooled_output": -sequence[:, 0], "sequence_output": sequence}
        return {name: every[name] for name in self.outputs}
