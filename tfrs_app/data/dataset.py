"""A dataset folder opened: verified, with spec, vocabularies, catalogue and events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf

from tfrs_app.contract.artifacts import SPEC, STATS, Manifest, verify
from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    ITEM_STATISTICS,
    TARGET_START,
    TIMESTAMP,
    context_column,
    vocabulary_path,
)
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.features import ITEM_ID, USER_ID, FeatureSpec, Kind, Role
from tfrs_app.data.co_purchases import CoPurchases, read_co_purchases
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.examples import declared_context, read_items, read_sequences


@dataclass(frozen=True)
class NumericStatistics:
    """Holds the moments and the 0..100 % quantiles of a numeric feature."""

    mean: float
    std: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Split:
    """Holds the boundaries of the global-time split, in seconds since the epoch."""

    validation_start: int
    test_start: int
    test_end: int | None


@dataclass(frozen=True)
class Dataset:
    """Reads a verified dataset folder; everything is loaded on first use."""

    folder: Path
    manifest: Manifest
    spec: FeatureSpec
    statistics: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Verifies and opens a dataset.

        Raises:
            ArtifactError: it is absent, unfinished, damaged or of another kind.
        """
        manifest = verify(folder)
        if manifest.kind != "dataset":
            raise ArtifactError(
                f"{folder}: is a {manifest.kind}, not a dataset; pass a folder below "
                "datasets/"
            )
        _refuse_unlisted(folder, manifest)
        spec = FeatureSpec.model_validate_json((folder / SPEC).read_bytes())
        if spec.fingerprint != manifest.spec_fingerprint:
            raise ArtifactError(f"{folder / SPEC}: is not the spec that the data has")
        statistics = json.loads((folder / STATS).read_text(encoding="utf-8"))
        return cls(folder, manifest, spec, statistics)

    @cached_property
    def split(self) -> Split:
        """Returns the time split that the dataset was prepared with."""
        moments = self.statistics["split"]
        return Split(
            validation_start=_seconds(moments["validation_start"]),
            test_start=_seconds(moments["test_start"]),
            test_end=_seconds(moments["test_end"]) if moments["test_end"] else None,
        )

    @cached_property
    def vocabularies(self) -> dict[str, list[str]]:
        """Returns the tokens of `item_id` and of each categorical feature."""
        names = [ITEM_ID]
        for role in (Role.CANDIDATE, Role.QUERY, Role.CONTEXT):
            names += [f.name for f in self.spec.of(role, Kind.CATEGORICAL)]
        return {
            name: vocabulary_path(self.folder, name)
            .read_text(encoding="utf-8")
            .split("\n")[:-1]
            for name in names
        }

    @cached_property
    def numeric(self) -> dict[str, NumericStatistics]:
        """Returns the statistics of each numeric and bucketized feature."""
        return {
            name: NumericStatistics(
                mean=values["mean"],
                std=values["std"],
                quantiles=tuple(values["quantiles"]),
            )
            for name, values in self.statistics["numeric"].items()
        }

    @cached_property
    def catalogue(self) -> dict[str, np.ndarray]:
        """Returns `item_id` and the raw candidate features, `[items]` each."""
        return read_items(self.folder, self.spec)

    @property
    def listed(self) -> np.ndarray:
        """Returns which items are on sale, bool `[items]`: all of a dataset's own."""
        return np.ones(len(self.catalogue[ITEM_ID]), bool)

    @cached_property
    def co_purchases(self) -> CoPurchases:
        """Returns what is bought together.

        Raises:
            ArtifactError: the files are absent, or do not fit the catalogue.
        """
        return read_co_purchases(self.folder)

    @cached_property
    def train_events(self) -> np.ndarray:
        """Returns how many training-span events each item has, int64 `[items]`."""
        table = pq.read_table(self.folder / ITEM_STATISTICS)
        events: np.ndarray = table["train_events"].to_numpy()
        return events

    @cached_property
    def events(self) -> EventLog:
        """Returns everybody's events in catalogue rows.

        Raises:
            ArtifactError: an event names an item that the catalogue lacks.
        """
        columns = _merged(read_sequences(self.folder, self.spec))
        item = _positions(self.catalogue[ITEM_ID], columns[ITEM_ID])
        if (item < 0).any():
            raise ArtifactError(f"{self.folder}: events name items without a record")
        types = np.array([t.encode() for t in self.spec.event_types])
        return EventLog(
            user_id=columns[USER_ID],
            row_splits=np.concatenate([[0], np.cumsum(columns["length"])]),
            item=item,
            event_type=_positions(types, columns[EVENT_TYPE]),
            timestamp=columns[TIMESTAMP],
            type_weight=np.array(list(self.spec.event_weights.values())),
            profile={f.name: columns[f.name] for f in self.spec.of(Role.QUERY)},
            context={
                f.name: columns[context_column(f.name)]
                for f in declared_context(self.spec)
            },
        )


def _refuse_unlisted(folder: Path, manifest: Manifest) -> None:
    for path in folder.rglob("*.tfrecord"):
        if path.relative_to(folder).as_posix() not in manifest.files:
            raise ArtifactError(
                f"{path}: is not listed in the manifest; remove the file"
            )


def _merged(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Joins the records into which a long history was cut.

    Such a record starts with a copy of `target_start` earlier events, and follows the
    record that it continues.
    """
    length, copied = columns["length"], columns[TARGET_START]
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    own = within >= np.repeat(copied, length)
    first = np.flatnonzero(copied == 0)
    merged_length = np.add.reduceat(length - copied, first)
    # Every record has an event, so columns of equal length hold one event a record.
    return {
        name: values[first] if len(values) == len(length) else values[own]
        for name, values in columns.items()
        if name not in ("length", TARGET_START)
    } | {"length": merged_length}


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _positions(keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns the row of each value among distinct keys, int32; -1 for none."""
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.string), tf.range(len(keys), dtype=tf.int32)
        ),
        default_value=-1,
    )
    rows: np.ndarray = table.lookup(tf.constant(values, tf.string)).numpy()
    return rows
