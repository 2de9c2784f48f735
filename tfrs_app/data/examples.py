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
    schema |= {f.name: _scalar(f) for f in spec.of(Role.CANDIDATE)}
    return _concatenated(_parsed(folder / ITEMS, schema))


def read_sequences(folder: Path, spec: FeatureSpec) -> dict[str, np.ndarray]:
    """Reads all sequence records.

    Returns:
        `user_id`, `target_start`, `length` (number of events) and each query feature
        `[records]`; `item_id`, `event_type`, `timestamp` and the `context_<name>`
        columns flattened to `[events]`.
    """
    schema: dict[str, Any] = {
        USER_ID: tf.io.FixedLenFeature([], tf.string),
        TARGET_START: tf.io.FixedLenFeature([], tf.int64),
        ITEM_ID: tf.io.RaggedFeature(tf.string),
        EVENT_TYPE: tf.io.RaggedFeature(tf.string),
        TIMESTAMP: tf.io.RaggedFeature(tf.int64),
    }
    schema |= {f.name: _scalar(f) for f in spec.of(Role.QUERY)}
    schema |= {
        context_column(f.name): tf.io.RaggedFeature(_dtype(f))
        for f in declared_context(spec)
    }
    return _concatenated(map(_flattened, _parsed(folder / SEQUENCES, schema)))


def _dtype(feature: Feature) -> tf.DType:
    return tf.string if feature.kind.is_string else tf.float32


def _scalar(feature: Feature) -> tf.io.FixedLenFeature:
    missing = "" if feature.kind.is_string else math.nan
    return tf.io.FixedLenFeature([], _dtype(feature), default_value=missing)


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
