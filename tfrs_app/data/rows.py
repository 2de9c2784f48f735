"""Training rows read back: one plain `tf.train.Example` a training example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfrs_app.contract.artifacts import STATS
from tfrs_app.contract.dataset import EVENT_TYPE, SPANS, TIMESTAMP, WEIGHT, rows_path
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    ITEM_ID,
    FeatureSpec,
    Role,
)
from tfrs_app.data.examples import declared_context, list_of, scalar_of
from tfrs_app.data.streaming import Encode, encoded, record_files

_FILES_AT_ONCE = 4
_ROWS_MIXED = 65_536
"""Serialised rows that are shuffled at once."""
_TEXT_HISTORIES = {ITEM_ID: HISTORY_ITEM_ID, EVENT_TYPE: HISTORY_EVENT_TYPE}


def read_rows(
    folder: Path,
    spec: FeatureSpec,
    span: str,
    *,
    history_length: int,
    batch_size: int,
    seed: int | None = None,
    encode: Encode | None = None,
) -> tf.data.Dataset:
    """Reads the training rows of a dataset that was prepared with `data.layout: rows`.

    Args:
        folder: of the dataset.
        spec: of the dataset.
        span: `train`, `validation` or `test`.
        history_length: L, at most the dataset's `data.row_history_length`.
        batch_size: rows a batch; the last one may be shorter.
        seed: decides the order, another one each epoch; None keeps the files' order.
        encode: maps `item_id`, `event_type`, context and query features.

    Returns:
        The dicts of `sequence_windows`.

    Raises:
        ConfigError: an argument is impossible.
        ArtifactError: the dataset holds no rows.
    """
    _check(folder, span, history_length)
    files = record_files(rows_path(folder, span))
    names = tf.data.Dataset.from_tensor_slices(files)
    if seed is None:
        records = names.flat_map(tf.data.TFRecordDataset)
    else:
        names = names.shuffle(len(files), seed)
        records = names.interleave(tf.data.TFRecordDataset, _FILES_AT_ONCE)
        records = records.shuffle(_ROWS_MIXED, seed)
    parser = _Parser(spec, history_length, encode)
    batches = records.batch(batch_size).map(parser, tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


class _Parser:
    """Parses serialised rows `[batch]`."""

    def __init__(
        self, spec: FeatureSpec, history_length: int, encode: Encode | None
    ) -> None:
        features = (*declared_context(spec), *spec.of(Role.QUERY))
        self._length = history_length
        self._encode = encode
        self._schema: dict[str, Any] = {
            **{name: tf.io.FixedLenFeature([], tf.string) for name in _TEXT_HISTORIES},
            TIMESTAMP: tf.io.FixedLenFeature([], tf.int64),
            WEIGHT: tf.io.FixedLenFeature([], tf.float32),
            **{name: list_of(tf.string) for name in _TEXT_HISTORIES.values()},
            HISTORY_TIMESTAMP: list_of(tf.int64),
            **{feature.name: scalar_of(feature) for feature in features},
        }

    def __call__(self, records: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(records, self._schema)
        batch = tf.size(records)
        raw = {
            name: value
            for name, value in parsed.items()
            if not isinstance(value, tf.RaggedTensor)
            and name not in (TIMESTAMP, WEIGHT)
        }
        for name, history in _TEXT_HISTORIES.items():
            # One column of targets and histories: `encode` knows no other names.
            raw[name] = tf.concat([raw[name], parsed[history].flat_values], axis=0)
        values = encoded(raw, self._encode)
        histories = {HISTORY_TIMESTAMP: parsed[HISTORY_TIMESTAMP]}
        for name, history in _TEXT_HISTORIES.items():
            flat = values[name]
            values[name] = flat[:batch]
            histories[history] = parsed[history].with_flat_values(flat[batch:])
        return {
            **{name: self._padded(history) for name, history in histories.items()},
            TIMESTAMP: parsed[TIMESTAMP],
            WEIGHT: parsed[WEIGHT],
            **values,
        }

    def _padded(self, history: tf.RaggedTensor) -> tf.Tensor:
        """Returns the last events of each row, padded in front, `[batch, L]`."""
        position = history.row_splits[1:, tf.newaxis] + tf.range(
            -self._length, 0, dtype=tf.int64
        )
        real = position >= history.row_splits[:-1, tf.newaxis]
        blank = tf.zeros([1], history.dtype)
        flat = tf.concat([blank, history.flat_values], axis=0)
        return tf.gather(flat, tf.where(real, position + 1, 0))


def _check(folder: Path, span: str, history_length: int) -> None:
    if span not in SPANS:
        raise ConfigError(
            f"span: must be one of {', '.join(SPANS)}, received {span!r}; name one"
        )
    statistics = json.loads((folder / STATS).read_text(encoding="utf-8"))
    shown = statistics.get("rows", {}).get("history_length")
    if shown is None:
        raise ArtifactError(
            f"{folder}: holds no training rows; set data.layout: rows and prepare again"
        )
    if not 1 <= history_length <= shown:
        raise ConfigError(
            f"history_length: must be 1 to {shown}, the data.row_history_length of the "
            f"dataset, received {history_length}; choose a shorter history or prepare "
            "with longer ones"
        )
