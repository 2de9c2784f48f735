"""The records of a dataset parsed back into NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    ITEMS,
    SEQUENCES,
    TARGET_START,
    TIMESTAMP,
    context_column,
)
from tfrs_app.contract.features import (
    ITEM_ID,
    USER_ID,
    Feature,
    FeatureSpec,
    Kind,
    Role,
)

RECORDS_A_STEP = 256


def declared_context(spec: FeatureSpec) -> tuple[Feature, ...]:
    """Returns the context features that have a column of their own in a sequence."""
    return tuple(f for f in spec.of(Role.CONTEXT) if f.kind is not Kind.TIMESTAMP)


def read_items(folder: Path, spec: FeatureSpec) -> dict[str, np.ndarray]:
    """Reads the catalogue: `item_id` and each candidate feature, `[items]` each."""
    schema = {ITEM_ID: tf.io.FixedLenFeature([], tf.string)}
    schema |= {f.name: scalar_of(f) for f in spec.of(Role.CANDIDATE)}
    return _concatenated(_parsed(folder / ITEMS, schema))


def read_sequences(folder: Path, spec: FeatureSpec) -> dict[str, np.ndarray]:
    """Reads all sequence records.

    Returns:
        `user_id`, `target_start`, `length` (number of events) and each query feature
        `[records]`; `item_id`, `event_type`, `timestamp` and the `context_<name>`
        columns flattened to `[events]`.
    """
    return _concatenated(
        map(_flattened, _parsed(folder / SEQUENCES, sequence_schema(spec)))
    )


def sequence_schema(spec: FeatureSpec) -> dict[str, Any]:
    """Returns how `tf.io.parse_example` reads a sequence record."""
    schema: dict[str, Any] = {
        USER_ID: tf.io.FixedLenFeature([], tf.string),
        TARGET_START: tf.io.FixedLenFeature([], tf.int64),
        ITEM_ID: list_of(tf.string),
        EVENT_TYPE: list_of(tf.string),
        TIMESTAMP: list_of(tf.int64),
    }
    context = declared_context(spec)
    schema |= {f.name: scalar_of(f) for f in spec.of(Role.QUERY)}
    return schema | {context_column(f.name): list_of(_dtype(f)) for f in context}


def list_of(dtype: tf.DType) -> tf.io.RaggedFeature:
    """Returns how a list of any length is read."""
    return tf.io.RaggedFeature(dtype, row_splits_dtype=tf.int64)


def scalar_of(feature: Feature) -> tf.io.FixedLenFeature:
    """Returns how a feature of one value is read; a missing one is "" or NaN."""
    missing = "" if feature.kind.is_string else math.nan
    return tf.io.FixedLenFeature([], _dtype(feature), default_value=missing)


def _dtype(feature: Feature) -> tf.DType:
    return tf.string if feature.kind.is_string else tf.float32


def _parsed(folder: Path, schema: Mapping[str, Any]) -> Iterable[dict[str, tf.Tensor]]:
    files = sorted(str(path) for path in folder.glob("*.tfrecord"))
    records = tf.data.TFRecordDataset(files).batch(RECORDS_A_STEP)
    parsed: Iterable[dict[str, tf.Tensor]] = records.map(
        lambda batch: tf.io.parse_example(batch, schema)
    )
    return parsed


def _flattened(batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    flat = {
        name: value.flat_values if isinstance(value, tf.RaggedTensor) else value
        for name, value in batch.items()
    }
    return {**flat, "length": batch[ITEM_ID].row_lengths()}


def _concatenated(batches: Iterable[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    columns: dict[str, list[np.ndarray]] = {}
    for batch in batches:
        for name, value in batch.items():
            columns.setdefault(name, []).append(value.numpy())
    return {name: np.concatenate(parts) for name, parts in columns.items()}
