"""Training windows streamed from the sequence records, for data beyond memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import tensorflow as tf

from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    OVERLAP,
    SEQUENCES,
    TARGET_START,
    TIMESTAMP,
    WEIGHT,
    context_column,
)
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    ITEM_ID,
    FeatureSpec,
    Role,
)
from tfrs_app.data.examples import declared_context, sequence_schema
from tfrs_app.data.history import HistoryTables, cut_histories

Encode: TypeAlias = Callable[[dict[str, tf.Tensor]], Mapping[str, tf.Tensor]]
"""Maps raw columns, each by itself and value by value, to columns of the same names."""
Span: TypeAlias = tuple[int | None, int | None]

HISTORY_COLUMNS = {
    HISTORY_ITEM_ID: ITEM_ID,
    HISTORY_EVENT_TYPE: EVENT_TYPE,
    HISTORY_TIMESTAMP: TIMESTAMP,
}
"""Input of a model -> the event column that it is cut from."""
_FILES_AT_ONCE = 4
_WINDOWS_AT_ONCE = 4096
"""Windows that are cut in one step: bounds the memory of a user with many events."""


def sequence_windows(
    folder: Path,
    spec: FeatureSpec,
    *,
    history_length: int,
    batch_size: int,
    span: Span = (None, None),
    seed: int | None = None,
    worker: int = 0,
    workers: int = 1,
    users_at_once: int = 256,
    encode: Encode | None = None,
) -> tf.data.Dataset:
    """Makes one training example of every event, with what its user did before.

    Args:
        folder: of the dataset.
        spec: of the dataset.
        history_length: L, the most recent earlier events that an example shows.
        batch_size: examples a batch; the last one may be shorter.
        span: start <= second of the target < end; None is open.
        seed: decides the order, another one each epoch; None keeps the files' order.
        worker: number of this reader among `workers`.
        workers: readers that share the examples: each example goes to one of them.
        users_at_once: users whose examples are mixed, and held in memory.
        encode: maps `item_id`, `event_type`, context and query features before windows
            are cut, hence once an event, e.g. a `FeatureLookup`.

    Returns:
        Dicts of `history_item_id`, `history_event_type`, `history_timestamp`
        `[batch, L]`, oldest first, padded in front with "" or 0, of strictly earlier
        events; of the target's `item_id`, `event_type`, `timestamp`, `weight` and
        context features, and of the query features, `[batch]`.

    Raises:
        ConfigError: an argument is impossible.
        ArtifactError: there are no sequence records.
    """
    _check(history_length, worker, workers)
    windows = _Windows(spec, history_length, span, encode)
    records = _records(folder / SEQUENCES, seed, worker, workers, 4 * users_at_once)
    groups = records.batch(users_at_once).map(windows.group, tf.data.AUTOTUNE)
    if seed is not None:
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
        groups = tf.data.Dataset.zip(groups, seeds).map(_shuffled, tf.data.AUTOTUNE)
    pieces = groups.flat_map(windows.pieces)
    cut = pieces.map(windows.cut, tf.data.AUTOTUNE)
    return cut.rebatch(batch_size).prefetch(tf.data.AUTOTUNE)


class _Windows:
    """Cuts the windows of a group of records, in three steps.

    A group is a dict of `columns` (of the target) and `profile`, of `owner` and `end`
    (the record of each event, and where its strictly earlier events end), `[events]`
    each, and of `target`, the positions to predict.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        history_length: int,
        span: Span,
        encode: Encode | None,
    ) -> None:
        self._schema = sequence_schema(spec)
        self._context = [f.name for f in declared_context(spec)]
        self._profile = [f.name for f in spec.of(Role.QUERY)]
        self._weights = spec.event_weights
        self._length = history_length
        self._span = span
        self._encode = encode

    def group(self, records: tf.Tensor) -> dict[str, Any]:
        """Parses serialised records `[records]`, whole users or parts of them."""
        parsed = tf.io.parse_example(records, self._schema)
        item = parsed[ITEM_ID]
        raw = {name: parsed[name].flat_values for name in (ITEM_ID, EVENT_TYPE)}
        raw |= {n: parsed[context_column(n)].flat_values for n in self._context}
        profile = {name: parsed[name] for name in self._profile}
        values = encoded({**raw, **profile}, self._encode)
        timestamp = parsed[TIMESTAMP].flat_values
        owner, start = item.value_rowids(), item.row_starts()
        first = tf.gather(start, owner)
        return {
            "columns": {
                **{name: values[name] for name in raw},
                TIMESTAMP: timestamp,
                WEIGHT: weight_of(raw[EVENT_TYPE], self._weights),
            },
            "profile": {name: values[name] for name in profile},
            "owner": owner,
            "owners": tf.size(start, tf.int64),
            "end": _earlier_end(timestamp, first),
            "target": self._targets(
                timestamp, first + tf.gather(parsed[TARGET_START], owner)
            ),
        }

    def _targets(self, timestamp: tf.Tensor, own_start: tf.Tensor) -> tf.Tensor:
        """Returns the positions that no earlier record holds and the span does."""
        position = tf.range(tf.size(timestamp, tf.int64))
        wanted = position >= own_start
        start, end = self._span
        if start is not None:
            wanted &= timestamp >= start
        if end is not None:
            wanted &= timestamp < end
        return tf.boolean_mask(position, wanted)

    def pieces(self, group: dict[str, Any]) -> tf.data.Dataset:
        """Divides a group's targets; the pieces share its columns and tables."""
        columns = {n: group["columns"][c] for n, c in HISTORY_COLUMNS.items()}
        tables = HistoryTables(columns, group["owner"], group["owners"], self._length)
        shared = {
            "columns": group["columns"],
            "profile": group["profile"],
            "owner": group["owner"],
            "tables": tables.tables,
            "first_row": tables.first_rows(group["end"]),
        }
        target = group["target"]
        starts = tf.data.Dataset.range(0, tf.size(target, tf.int64), _WINDOWS_AT_ONCE)
        return starts.map(lambda i: (shared, target[i : i + _WINDOWS_AT_ONCE]))

    def cut(self, group: dict[str, Any], target: tf.Tensor) -> dict[str, tf.Tensor]:
        """Cuts the windows of some targets, int64 `[batch]`."""
        first_row = tf.gather(group["first_row"], target)
        owner = tf.gather(group["owner"], target)
        return {
            **cut_histories(group["tables"], first_row, self._length),
            **{k: tf.gather(v, target) for k, v in group["columns"].items()},
            **{k: tf.gather(v, owner) for k, v in group["profile"].items()},
        }


def encoded(raw: dict[str, tf.Tensor], encode: Encode | None) -> dict[str, tf.Tensor]:
    """Returns the encoded columns.

    Raises:
        ConfigError: `encode` lost or added a column.
    """
    values = dict(encode(dict(raw))) if encode else raw
    if values.keys() != raw.keys():
        raise ConfigError(
            f"encode: must return the columns that it received, {sorted(raw)}, "
            f"returned {sorted(values)}; hand through what it does not map"
        )
    return values


def weight_of(event_type: tf.Tensor, weights: Mapping[str, float]) -> tf.Tensor:
    """Returns how much each event counts by its type, float32 `[events]`."""
    same = event_type[:, tf.newaxis] == tf.constant(list(weights))  # [events, types]
    weight = tf.constant(list(weights.values()), tf.float32)
    return tf.linalg.matvec(tf.cast(same, tf.float32), weight)


def _earlier_end(timestamp: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """Returns where each event's strictly earlier events end, int64 `[events]`.

    Args:
        timestamp: int64 `[events]`, ascending within a record.
        first: int64 `[events]`, position of the record's first event.
    """
    position = tf.range(tf.size(timestamp, tf.int64))
    before = tf.concat([timestamp[:1], timestamp[:-1]], axis=0)
    new_moment = (position == first) | (timestamp != before)
    moments = tf.boolean_mask(position, new_moment)
    return tf.gather(moments, tf.cumsum(tf.cast(new_moment, tf.int64)) - 1)


def _shuffled(group: dict[str, Any], seed: tf.Tensor) -> dict[str, Any]:
    target = tf.random.experimental.stateless_shuffle(group["target"], seed=seed)
    return {**group, "target": target}


def _records(
    folder: Path, seed: int | None, worker: int, workers: int, buffer: int
) -> tf.data.Dataset:
    """Returns the serialised records of one worker."""
    files = record_files(folder)
    by_file = len(files) % workers == 0  # else each worker reads a part of each file
    if by_file:
        files = files[worker::workers]

    def opened(file: tf.Tensor) -> tf.data.Dataset:
        records = tf.data.TFRecordDataset(file)
        return records if by_file else records.shard(workers, worker)

    names = tf.data.Dataset.from_tensor_slices(files)
    if seed is None:
        return names.flat_map(opened)
    names = names.shuffle(len(files), seed)
    return names.interleave(opened, _FILES_AT_ONCE).shuffle(buffer, seed)


def record_files(folder: Path) -> list[str]:
    """Returns the record files of a folder in their order.

    Raises:
        ArtifactError: there is none.
    """
    files = sorted(str(path) for path in folder.glob("*.tfrecord"))
    if not files:
        raise ArtifactError(f"{folder}: holds no records; name a prepared dataset")
    return files


def _check(history_length: int, worker: int, workers: int) -> None:
    if not 1 <= history_length <= OVERLAP:
        raise ConfigError(
            f"history_length: must be 1 to {OVERLAP}, the earlier events that every "
            f"record of a long history repeats, received {history_length}; choose a "
            "shorter history"
        )
    if not 0 <= worker < workers:
        raise ConfigError(
            f"worker: must be 0 to workers - 1, received worker {worker} of {workers}; "
            "count the workers from 0"
        )
