"""The events that queries look back at, and what encodes them."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    FeatureSpec,
)
from tfrs_app.contract.retrieval_config import SEQUENCE_ENCODERS, RetrievalConfig
from tfrs_app.data.windows import TIMESTAMP, WINDOW, WINDOW_END
from tfrs_app.layers.history import (
    AttentionHistory,
    Histories,
    MeanHistory,
    OwnItemsFirst,
)
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.layers.lookup import PADDING
from tfrs_app.layers.sequence import (
    EventInputs,
    GruStates,
    SequenceHistory,
    TransformerStates,
)


def windows_of(inputs: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns each query's window and where its history ends there, `[queries]`."""
    windows, length = tf.unstack(tf.shape(inputs[HISTORY_ITEM_ID]))
    window = inputs.get(WINDOW, tf.range(windows))
    return window, inputs.get(WINDOW_END, tf.fill(tf.shape(window), length))


def histories_of(inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor) -> Histories:
    """Returns every query's history, whose windows may be shared.

    Args:
        inputs: of the query tower.
        vectors: `[windows, length, width]`, passed on as they are.
    """
    window, end = windows_of(inputs)
    columns = [
        inputs[name] if WINDOW not in inputs else tf.gather(inputs[name], window)
        for name in (HISTORY_ITEM_ID, HISTORY_EVENT_TYPE, HISTORY_TIMESTAMP)
    ]
    index, event_type, seconds = columns
    seen = tf.range(tf.shape(index)[1])[tf.newaxis, :] < end[:, tf.newaxis]
    age_s = inputs[TIMESTAMP][:, tf.newaxis] - seconds
    return Histories(
        vectors=vectors,
        index=tf.where(seen, index, PADDING),
        event_type=event_type,
        age_days=tf.cast(age_s, tf.float32) / SECONDS_PER_DAY,
    )


def start_of_linear(config: RetrievalConfig) -> OwnItemsFirst | str:
    """Returns the initializer of what projects the encoded history."""
    if config.history_encoder in SEQUENCE_ENCODERS:
        return "glorot_uniform"  # a state's columns are not those of the embedding
    if config.history_encoder == "attention":
        return OwnItemsFirst(config.history_heads)
    return OwnItemsFirst(len(config.history_half_lives_days))


def history_encoder_of(
    spec: FeatureSpec, config: RetrievalConfig
) -> tf.keras.layers.Layer:
    """Returns the configured encoder of histories."""
    if config.history_encoder == "mean":
        return MeanHistory(spec, config.history_half_lives_days)
    if config.history_encoder == "attention":
        return AttentionHistory(spec, config.history_heads)
    dim = config.embedding_dim
    states = (
        GruStates(dim)
        if config.history_encoder == "gru"
        else TransformerStates(
            dim, config.history_length, config.history_blocks, config.history_heads
        )
    )
    return SequenceHistory(EventInputs(spec, dim), states)
