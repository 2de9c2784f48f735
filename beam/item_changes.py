"""Reads a table of changed items as `prepare` reads the whole catalogue's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.batches import Batch
from beam.cleaning import Cleaned, clean
from beam.coercion import as_text, plain
from beam.planning import TableSource, plan_table, stored_features
from beam.reading import check_types, columns_of_file, read
from beam.sources import InputFile, input_files, splits_of
from beam.tables import SourcePlan, Values
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.data_config import TableConfig
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID, Feature
from tfrs_app.contract.where import columns_of, parse_where
from tfrs_app.data.item_changes import LISTED, ItemChanges

_TABLE = "items"
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no")


def read_changes(config: ShopConfig, path: Path) -> ItemChanges:
    """Returns what a table says of some items.

    Its columns are those of `data.items`, of which it may leave out all but the id, and
    `listed`, which is false for items that are gone.

    Args:
        config: the shop.
        path: of a Parquet, CSV or JSON Lines file.

    Raises:
        DataError: it can't be read, has a bad row, names an item twice, or says nothing
            but ids.
    """
    section = config.data.items.model_copy(
        update={"source": str(path.absolute()), "format": None}
    )
    (file,) = input_files(section, "catalog push")
    present = columns_of_file(file)
    features = [f for f in stored_features(config, _TABLE) if _has(f, section, present)]
    if not features and LISTED not in present:
        raise DataError(
            f"{path}: says nothing of its items; give it columns of the features, or "
            f"{LISTED!r}"
        )
    plan = _plan(config, section, features, file, present)
    check_types(file, plan.file_columns)
    parts = list(_cleaned(file, plan, present))
    table = pa.concat_tables(cleaned.table for cleaned, _ in parts)
    listed = np.concatenate([rows for _, rows in parts]) if LISTED in present else None
    _check_distinct(table.column(ITEM_ID), path)
    columns = {
        c.name: _values(table.column(c.name), c.values) for c in plan.table.columns
    }
    left_out = sum(cleaned.filtered for cleaned, _ in parts)
    return ItemChanges(columns, listed, left_out)


def _has(feature: Feature, section: TableConfig, present: Sequence[str]) -> bool:
    """Tells whether a file has a feature's columns.

    Raises:
        DataError: it has some of them only.
    """
    mapped = [section.columns.get(column, column) for column in feature.columns]
    origins = [origin for origin in mapped if origin is not None]
    missing = [origin for origin in origins if origin not in present]
    # Every table has the id, so that it has it says nothing.
    item_id = section.columns.get(ITEM_ID, ITEM_ID)
    others = [o for o in origins if o in present and o != item_id]
    if missing and others:
        raise DataError(
            f"{section.source}: lacks column {missing[0]!r} but has others that "
            f"features.{feature.name} is joined from; give it all of {origins} or none"
        )
    return bool(origins) and not missing


def _plan(
    config: ShopConfig,
    section: TableConfig,
    features: Sequence[Feature],
    file: InputFile,
    present: Sequence[str],
) -> SourcePlan:
    named = {column for feature in features for column in feature.columns} | {ITEM_ID}
    mapping = {k: v for k, v in section.columns.items() if k in named}
    # A condition on columns that are not there can't be judged.
    judged = section.where and columns_of(parse_where(section.where)) <= set(present)
    narrowed = section.model_copy(
        update={"columns": mapping, "where": section.where if judged else None}
    )
    of_these = config.model_copy(update={"features": tuple(features)})
    source = TableSource(narrowed, "data.items", file.path, present)
    _, (plan,) = plan_table(of_these, _TABLE, [source])
    return plan


def _cleaned(
    file: InputFile, plan: SourcePlan, present: Sequence[str]
) -> Iterator[tuple[Cleaned, np.ndarray]]:
    """Yields the rows of a file and which of them are listed.

    Raises:
        DataError: a row is bad.
    """
    names = sorted({*plan.file_columns, *([LISTED] if LISTED in present else [])})
    for split in splits_of([[file]]):
        for batch in read(split, names):
            cleaned = clean(batch, plan, file)
            if cleaned.rejects:
                first = cleaned.rejects[0]
                raise DataError(
                    f"{file.path}: row {first.row}: {first.reason} "
                    f"({first.content!r}); mend it, nothing was pushed"
                )
            rows = np.isin(batch.rows, cleaned.table.column("__row__").to_numpy())
            listed = _listed(batch, file) if LISTED in present else np.ones(len(rows))
            yield cleaned, listed[rows].astype(bool)


def _listed(batch: Batch, file: InputFile) -> np.ndarray:
    """Returns which rows are listed, bool `[rows]`.

    Raises:
        DataError: a value is neither yes nor no.
    """
    texts = pc.utf8_lower(as_text(plain(batch.table.column(LISTED))))
    yes, no = (pc.is_in(texts, pa.array(v, pa.large_string())) for v in (_YES, _NO))
    strange = np.flatnonzero(~pc.or_(yes, no).to_numpy(zero_copy_only=False))
    if len(strange):
        row = int(strange[0])
        raise DataError(
            f"{file.path}: row {batch.rows[row]}: {LISTED} is {texts[row].as_py()!r}; "
            "write true or false, nothing was pushed"
        )
    found: np.ndarray = yes.to_numpy(zero_copy_only=False)
    return found


def _check_distinct(ids: pa.ChunkedArray, path: Path) -> None:
    counts = pc.value_counts(ids.combine_chunks())
    often = [c["values"].as_py() for c in counts if c["counts"].as_py() > 1]
    if often:
        raise DataError(
            f"{path}: item {often[0]!r} stands in several rows ({len(often)} such "
            "items); say it once, nothing was pushed"
        )


def _values(column: pa.ChunkedArray, kind: Values) -> np.ndarray:
    if kind is Values.NUMBER:
        numbers: np.ndarray = column.to_numpy().astype(np.float32)
        return numbers
    texts = column.fill_null("").to_pylist()
    return np.array([text.encode() for text in texts] or [], object)
