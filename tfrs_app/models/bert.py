"""BERT without dropout: word-piece ids in, one vector a piece out.

The network of Devlin et al. 2019 (https://arxiv.org/abs/1810.04805), layer norms after
the sums, exact gelu. Variables carry the names that TF Hub's BERTs use
(`transformer/layer_3/...`), so that whoever fine-tunes can tell the layers apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfrs_app.contract.text_config import Precision
from tfrs_app.models.dense import BiasedDense, Parameter, dense, parameter

Weights = Mapping[str, np.ndarray]
"""Arrays by the names that PyTorch's BertModel gives them; kernels `[out, in]`."""

HIDDEN = -1e9
"""Added to the attention logits of padding; exp gives an exact 0 in float32."""


@dataclass(frozen=True)
class BertSize:
    """Holds what the shapes of the weights do not tell."""

    layers: int
    heads: int
    epsilon: float = 1e-12
    """Of the layer norms."""


class LayerNorm(tf.Module):
    """Normalises the last axis in float32, whatever the type of its input."""

    def __init__(
        self,
        weights: Weights,
        source: str,
        name: str,
        epsilon: float,
        precision: Precision,
    ) -> None:
        super().__init__()
        self.epsilon = epsilon
        gamma, beta = weights[f"{source}.weight"], weights[f"{source}.bias"]
        self.gamma = parameter(gamma, tf.float32, f"{name}/gamma", precision)
        self.beta = parameter(beta, tf.float32, f"{name}/beta", precision)

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Returns float32 of the same shape."""
        # Fewer passes over memory than tf.nn.moments and tf.nn.batch_normalization.
        centred = values - tf.reduce_mean(values, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        scaled = centred * tf.math.rsqrt(variance + self.epsilon)
        return scaled * self.gamma + self.beta


class BertEmbeddings(tf.Module):
    """Sums the embeddings of word piece, position and segment 0, then normalises."""

    def __init__(self, weights: Weights, size: BertSize, precision: Precision) -> None:
        super().__init__()
        dtype = tf.float32 if precision == "float32" else tf.bfloat16

        def table(source: str, name: str) -> Parameter:
            values = weights[f"embeddings.{source}.weight"]
            return parameter(values, dtype, f"{name}/embeddings", precision)

        self.word = table("word_embeddings", "word_embeddings")
        self.position = table("position_embeddings", "position_embedding")
        self.segment = table("token_type_embeddings", "type_embeddings")
        self.norm = LayerNorm(
            weights,
            "embeddings.LayerNorm",
            "embeddings/layer_norm",
            size.epsilon,
            precision,
        )

    def __call__(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns float32 `[batch, length, width]` of ids `[batch, length]`."""
        length = tf.shape(ids)[1]
        total = tf.cast(tf.gather(self.word, ids), tf.float32)
        position = tf.convert_to_tensor(self.position)[:length]
        total += tf.cast(position, tf.float32)
        return self.norm(total + tf.cast(self.segment[0], tf.float32))


class TransformerLayer(tf.Module):
    """Attends to the real pieces, then transforms each piece on its own."""

    def __init__(
        self, weights: Weights, number: int, size: BertSize, precision: Precision
    ) -> None:
        super().__init__()
        source, name = f"encoder.layer.{number}", f"transformer/layer_{number}"
        self.heads = size.heads

        def make(parts: list[str], suffix: str) -> BiasedDense:
            sources = [f"{source}.{part}" for part in parts]
            kernel = np.concatenate([weights[f"{s}.weight"] for s in sources]).T
            bias = np.concatenate([weights[f"{s}.bias"] for s in sources])
            return dense(kernel, bias, f"{name}/{suffix}", precision)

        def norm(part: str, suffix: str) -> LayerNorm:
            where = f"{source}.{part}.LayerNorm"
            target = f"{name}/{suffix}"
            return LayerNorm(weights, where, target, size.epsilon, precision)

        projections = [f"attention.self.{part}" for part in ("query", "key", "value")]
        self.projection = make(projections, "self_attention/query_key_value")
        self.attention = make(["attention.output.dense"], "self_attention/output")
        self.attention_norm = norm("attention.output", "self_attention_layer_norm")
        self.intermediate = make(["intermediate.dense"], "intermediate")
        self.output = make(["output.dense"], "output")
        self.output_norm = norm("output", "output_layer_norm")

    def __call__(self, values: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """Returns float32 `[batch * length, width]` of such values.

        Args:
            values: float32 `[batch * length, width]`.
            bias: float32 `[batch, 1, 1, length]`, added to the attention logits.
        """
        context = self._attend(self.projection(values), bias)
        values = self.attention_norm(values + self.attention.wide(context))
        inner = tf.nn.gelu(self.intermediate(values), approximate=False)
        return self.output_norm(values + self.output.wide(inner))

    def _attend(self, projected: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """Mixes values `[batch * length, 3 * width]` to `[batch * length, width]`."""
        batch, length = tf.shape(bias)[0], tf.shape(bias)[3]
        width = projected.shape[-1] // 3
        per_head = width // self.heads
        split = tf.reshape(projected, [batch, length, 3, self.heads, per_head])
        query, key, value = tf.unstack(
            tf.transpose(split, [2, 0, 3, 1, 4]), axis=0
        )  # each [batch, heads, length, per_head]
        logits = tf.matmul(query * per_head**-0.5, key, transpose_b=True)
        shares = tf.nn.softmax(tf.cast(logits, tf.float32) + bias, axis=-1)
        mixed = tf.matmul(tf.cast(shares, value.dtype), value)
        return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch * length, width])


class Bert(tf.Module):
    """Maps ids and mask `[batch, length]` to float32 `[batch, length, width]`.

    Args:
        weights: of a trained BERT.
        size: what the weights do not tell.
        precision: float32 can be trained; the others are for embedding only.
    """

    def __init__(self, weights: Weights, size: BertSize, precision: Precision) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(weights, size, precision)
        self.layers = [
            TransformerLayer(weights, number, size, precision)
            for number in range(size.layers)
        ]

    def __call__(self, ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Returns one vector a piece; those of padding mean nothing.

        Args:
            ids: int `[batch, length]`.
            mask: float32 `[batch, length]`, 1 of a real piece, 0 of padding.
        """
        embedded = self.embeddings(ids)
        bias = ((1.0 - mask) * HIDDEN)[:, tf.newaxis, tf.newaxis, :]
        values = tf.reshape(embedded, [-1, embedded.shape[-1]])
        for layer in self.layers:
            values = layer(values, bias)
        return tf.reshape(values, tf.shape(embedded))
