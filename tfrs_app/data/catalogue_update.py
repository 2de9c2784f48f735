"""What changed in a catalogue since its dataset was made: new, other, gone items."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tfrs_app.contract.artifacts import sha256_of, write_atomically
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.features import ITEM_ID, Feature, FeatureSpec, Role
from tfrs_app.data.co_purchases import CoPurchases
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.item_changes import LISTED, Columns, ItemChanges


@dataclass(frozen=True)
class CatalogueUpdate:
    """Holds whole records of all items that were ever pushed onto a dataset.

    Args:
        columns: `item_id`, distinct, and every candidate feature, `[items]` each.
        listed: bool `[items]`, False for items that are gone.
    """

    columns: Columns
    listed: np.ndarray

    @classmethod
    def read(cls, path: Path, spec: FeatureSpec) -> CatalogueUpdate | None:
        """Returns the update that a file holds, None if there is no file.

        Raises:
            ArtifactError: it cannot be read.
        """
        if not path.is_file():
            return None
        names = [ITEM_ID, *(f.name for f in spec.of(Role.CANDIDATE))]
        try:
            table = pq.read_table(path, columns=[*names, LISTED])
        except (pa.ArrowException, OSError) as error:
            raise ArtifactError(
                f"{path}: cannot be read ({error}); remove it and push again"
            ) from error
        columns = {n: table[n].to_numpy() for n in names}
        return cls(columns, table[LISTED].to_numpy().astype(bool))

    def write(self, path: Path) -> None:
        """Writes the update, which appears whole or not at all."""
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({**self.columns, LISTED: self.listed}), sink)
        write_atomically(path, sink.getvalue().to_pybytes())


def fingerprint_of(path: Path) -> str | None:
    """Returns what tells the update in a file from others, None if there is none."""
    return sha256_of(path)[:12] if path.is_file() else None


@dataclass(frozen=True)
class UpdatedDataset(Dataset):
    """A dataset whose catalogue has been updated: old rows keep their places.

    New items stand behind the old ones and have no events yet. Items that are gone
    stay, because histories name them, but are not listed.
    """

    base: Dataset = field(kw_only=True)
    update: CatalogueUpdate = field(kw_only=True)

    @classmethod
    def of(cls, base: Dataset, update: CatalogueUpdate) -> UpdatedDataset:
        """Returns a dataset with its update."""
        opened = {f.name: getattr(base, f.name) for f in fields(Dataset)}
        return cls(**opened, base=base, update=update)

    @cached_property
    def _row(self) -> np.ndarray:
        """Returns the catalogue row of each record of the update, int64 `[records]`."""
        old, own = self.base.catalogue[ITEM_ID], self.update.columns[ITEM_ID]
        row = rows_of(old, own)
        new = row < 0
        row[new] = len(old) + np.arange(new.sum())
        return row

    @property
    def new_items(self) -> int:
        """Returns how many items the dataset itself lacks."""
        return max(0, int(self._row.max(initial=-1)) + 1 - len(self.base.train_events))

    @cached_property
    def catalogue(self) -> dict[str, np.ndarray]:
        """Returns `item_id` and the raw candidate features, `[items]` each."""
        return {
            name: self._with(values, self.update.columns[name])
            for name, values in self.base.catalogue.items()
        }

    @cached_property
    def listed(self) -> np.ndarray:
        """Returns which items are on sale, bool `[items]`."""
        return self._with(self.base.listed, self.update.listed)

    @cached_property
    def train_events(self) -> np.ndarray:
        """Returns how many training-span events each item has, int64 `[items]`."""
        return np.pad(self.base.train_events, (0, self.new_items))

    @cached_property
    def events(self) -> EventLog:
        """Returns everybody's events in catalogue rows."""
        return self.base.events

    @cached_property
    def co_purchases(self) -> CoPurchases:
        """Returns what is bought together; nothing yet with new items."""
        return self.base.co_purchases.with_more_items(self.new_items)

    def _with(self, old: np.ndarray, own: np.ndarray) -> np.ndarray:
        values = np.concatenate([old, np.zeros(self.new_items, old.dtype)])
        values[self._row] = own
        return values


def updated(dataset: Dataset, changes: ItemChanges) -> CatalogueUpdate:
    """Returns what changes, on top of earlier ones, make of a dataset's catalogue.

    Args:
        dataset: as it is now, earlier updates included.
        changes: the newest.
    """
    ids = changes.columns[ITEM_ID]
    row = rows_of(dataset.catalogue[ITEM_ID], ids)
    known = row >= 0
    features = dataset.spec.of(Role.CANDIDATE)
    columns = {ITEM_ID: ids} | {
        f.name: _values(f, dataset.catalogue[f.name], row, changes) for f in features
    }
    listed = changes.listed
    if listed is None:
        # Whoever sends a new item means to sell it.
        listed = np.where(known, dataset.listed[row], True)
    if not isinstance(dataset, UpdatedDataset):
        return CatalogueUpdate(columns, listed)
    before = dataset.update
    kept = ~np.isin(before.columns[ITEM_ID], ids)
    # New items keep the rows that they have: earlier ones first, in their order.
    place = {item: n for n, item in enumerate(before.columns[ITEM_ID])}
    merged = {n: np.concatenate([before.columns[n][kept], columns[n]]) for n in columns}
    both = np.concatenate([before.listed[kept], listed])
    order = np.argsort(
        [place.get(item, len(place)) for item in merged[ITEM_ID]], kind="stable"
    )
    return CatalogueUpdate({n: v[order] for n, v in merged.items()}, both[order])


def rows_of(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns where distinct ids stand, int64 `[wanted]`; -1 for none."""
    places = {item: row for row, item in enumerate(ids)}
    return np.array([places.get(item, -1) for item in wanted], np.int64)


def _values(
    feature: Feature, old: np.ndarray, row: np.ndarray, changes: ItemChanges
) -> np.ndarray:
    if feature.name in changes.columns:
        return changes.columns[feature.name]
    missing = b"" if feature.kind.is_string else math.nan
    values = np.full(len(row), missing, old.dtype)
    values[row >= 0] = old[row[row >= 0]]
    return values
