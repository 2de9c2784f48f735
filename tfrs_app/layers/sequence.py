"""Encoders that read a history in its order; one pass gives the state after each event.

They are causal: a state knows the events up to its own and none after it, so all the
queries of one user in a batch are read off one pass.
"""

from __future__ import annotations

import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.layers.lookup import FIRST_TOKEN, PADDING

LONGEST_GAP_DAYS = 3650.0


class EventInputs(tf.keras.layers.Layer):
    """Projects what an event was about, its type and the time since the one before.

    Args:
        spec: names the event types.
        dim: width of the output.
    """

    def __init__(self, spec: FeatureSpec, dim: int) -> None:
        super().__init__(name="event_inputs")
        self.project = tf.keras.layers.Dense(dim)
        self.types = tf.keras.layers.Embedding(
            FIRST_TOKEN + len(spec.event_types), dim, embeddings_initializer="zeros"
        )

    def call(
        self, vectors: tf.Tensor, event_type: tf.Tensor, gap_days: tf.Tensor
    ) -> tf.Tensor:
        """Returns `[windows, length, dim]`."""
        gap = tf.math.log1p(tf.clip_by_value(gap_days, 0.0, LONGEST_GAP_DAYS))
        inputs = tf.concat([vectors, gap[..., tf.newaxis]], axis=-1)
        return self.project(inputs) + self.types(event_type)


class GruStates(tf.keras.layers.Layer):
    """Runs a gated recurrent unit. Source: GRU4Rec, https://arxiv.org/abs/1511.06939."""

    def __init__(self, dim: int) -> None:
        super().__init__(name="gru_states")
        self.gru = tf.keras.layers.GRU(dim, return_sequences=True)

    def call(self, inputs: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Returns the states `[windows, length, dim]`; padding changes none."""
        return self.gru(inputs, mask=index != PADDING)


class TransformerStates(tf.keras.layers.Layer):
    """Runs causal self-attention. Source: SASRec, https://arxiv.org/abs/1808.09781.

    Args:
        dim: width of inputs and states, a multiple of `heads`.
        length: most events of a window.
        layers: blocks of attention and dense layer.
        heads: of the attention.
    """

    def __init__(self, dim: int, length: int, layers: int, heads: int) -> None:
        super().__init__(name="transformer_states")
        self.positions = tf.keras.layers.Embedding(length, dim)
        self.blocks = [TransformerBlock(dim, heads) for _ in range(layers)]
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.length = length

    def call(self, inputs: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Returns the states `[windows, length, dim]`."""
        length = tf.shape(inputs)[1]
        from_the_end = tf.range(self.length - length, self.length)
        states = inputs + self.positions(from_the_end)[tf.newaxis]
        causal = tf.linalg.band_part(tf.ones([length, length], tf.bool), -1, 0)
        # Padding attends to itself, so that no row of the mask is empty.
        itself = tf.eye(length, dtype=tf.bool)
        visible = causal & (index != PADDING)[:, tf.newaxis, :] | itself
        for block in self.blocks:
            states = block(states, visible)
        return self.norm(states)


class TransformerBlock(tf.keras.layers.Layer):
    """Adds attention, then a dense layer, each to its normalised input."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.attention = tf.keras.layers.MultiHeadAttention(heads, dim // heads)
        self.dense_norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.inner = tf.keras.layers.Dense(2 * dim, "gelu")
        self.outer = tf.keras.layers.Dense(dim)

    def call(self, states: tf.Tensor, visible: tf.Tensor) -> tf.Tensor:
        """Returns `[windows, length, dim]`; `visible` is `[windows, length, n]`."""
        normal = self.attention_norm(states)
        states += self.attention(normal, normal, attention_mask=visible)
        return states + self.outer(self.inner(self.dense_norm(states)))


class SequenceHistory(tf.keras.layers.Layer):
    """Returns, for each query, the state after the last event that it sees."""

    def __init__(self, events: EventInputs, states: tf.keras.layers.Layer) -> None:
        super().__init__(name="sequence_history")
        self.events, self.states = events, states

    def call(
        self,
        vectors: tf.Tensor,
        index: tf.Tensor,
        event_type: tf.Tensor,
        timestamp_days: tf.Tensor,
        window: tf.Tensor,
        end: tf.Tensor,
    ) -> tf.Tensor:
        """Encodes windows and reads the queries' states off them.

        Args:
            vectors: `[windows, length, width]`, what each event was about.
            index: int `[windows, length]` of the items; 0 is padding.
            event_type: int `[windows, length]`.
            timestamp_days: float `[windows, length]`, from any one moment on.
            window: int `[queries]`, the window that each query reads.
            end: int `[queries]`, position after the last event that the query sees.

        Returns:
            `[queries, dim]`, zeros for an empty history.
        """
        before = tf.pad(timestamp_days[:, :-1], [[0, 0], [1, 0]])
        follows = tf.pad(index[:, :-1] != PADDING, [[0, 0], [1, 0]])
        gap_days = tf.where(follows, timestamp_days - before, 0.0)
        states = self.states(self.events(vectors, event_type, gap_days), index)
        last = tf.stack([window, tf.maximum(end - 1, 0)], axis=1)
        events = tf.cumsum(tf.cast(index != PADDING, tf.int32), axis=1)
        seen = (end > 0) & (tf.gather_nd(events, last) > 0)
        return tf.where(seen[:, tf.newaxis], tf.gather_nd(states, last), 0.0)
