"""Writes quality.json: what a dataset's rows look like, from the shards' counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.activity import time_quality, user_quality
from beam.catalogue import Catalogue
from beam.distributions import Keyed, histogram, keyed, top_tokens
from beam.inputs import Input
from beam.planning import ROLES, column_name
from beam.tables import Values
from beam.tallies import HOURS, Tallies, read_tallies, read_user_tallies, row_tallies
from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    EVERY_SPAN,
    TABLE_COLUMNS,
    vocabulary_path,
)
from tfrs_app.contract.features import ITEM_ID, Feature, Kind
from tfrs_app.contract.quality import (
    LISTED_TOKENS,
    QUALITY,
    Checked,
    ColumnQuality,
    Distribution,
    ItemQuality,
    Quality,
)

_ALL = ("all",)
_TOP_SHARE = 100
"""The most frequent items are one in so many."""


@dataclass(frozen=True)
class _Table:
    """Holds a table's counts and its rows in each span."""

    name: str
    tallies: Tallies
    rows: Mapping[str, int]

    def keyed(self, column: str) -> Keyed:
        """Returns a column's counts by token or code, and of missing values."""
        return keyed(self.tallies[column], len(self.rows))


def write_quality(
    output: Path,
    work: Path,
    config: ShopConfig,
    inputs: Mapping[str, Input],
    catalogue: Catalogue,
    moments: tuple[str, str],
) -> None:
    """Writes quality.json.

    Args:
        output: the dataset's folder, which holds the vocabularies.
        work: folder of what the stages left, by table.
        config: the shop.
        inputs: the tables.
        catalogue: the items, in file order.
        moments: of the first and the last event, ISO 8601.
    """
    tables = {name: _table(name, part, work, config) for name, part in inputs.items()}
    events = tables["events"]
    types = inputs["events"].plan.event_types
    hours = events.keyed(HOURS)
    quality = Quality(
        rows={name: sum(table.rows.values()) for name, table in tables.items()},
        features=dict(_features(output, config, tables)),
        contract_columns=dict(_contract_columns(inputs["events"], events)),
        labels=_labels(events.keyed(EVENT_TYPE), types),
        time=time_quality(hours.keys, hours.counts.sum(axis=1), moments),
        items=_items(events, catalogue, _vocabulary(output, ITEM_ID)),
        users=user_quality(*read_user_tallies(work / "events", config.data.shards)),
    )
    write_atomically(output / QUALITY, quality.model_dump_json(indent=2).encode())


def _table(name: str, part: Input, work: Path, config: ShopConfig) -> _Table:
    folder, shards = work / name, config.data.shards
    if name == "events":
        tallies = read_tallies(folder, shards, part.plan, config.spec)
        totals = keyed(tallies[EVENT_TYPE], len(EVERY_SPAN)).counts.sum(axis=0).tolist()
        return _Table(name, tallies, dict(zip(EVERY_SPAN, totals, strict=True)))
    rows, tallies = row_tallies(folder, shards, part.plan, config.spec)
    return _Table(name, tallies, {"all": rows})


def _features(
    output: Path, config: ShopConfig, tables: Mapping[str, _Table]
) -> Iterator[tuple[str, ColumnQuality]]:
    table_of = {role: name for name, role in ROLES.items()}
    for feature in config.spec.features:
        if feature.kind is not Kind.TIMESTAMP:
            table = tables[table_of[feature.role]]
            yield feature.name, _feature(output, feature, table)


def _feature(output: Path, feature: Feature, table: _Table) -> ColumnQuality:
    counts = table.keyed(column_name(feature))
    oov = np.zeros(len(table.rows), dtype=np.int64)
    distribution: Distribution | None = None
    if feature.kind is Kind.CATEGORICAL:
        outside = ~_contains(_vocabulary(output, feature.name), counts.keys)
        oov = counts.counts[outside].sum(axis=0)
        distribution = top_tokens(counts, LISTED_TOKENS, feature.min_count)
    elif feature.kind is not Kind.TEXT:
        distribution = histogram(counts)
    return ColumnQuality(
        table=table.name,
        kind=feature.kind.value,
        type="text" if feature.kind.is_string else "number",
        columns=list(feature.columns),
        spans=_checked(table.rows, counts.nulls, oov),
        distribution=distribution,
    )


def _contract_columns(
    part: Input, events: _Table
) -> Iterator[tuple[str, ColumnQuality]]:
    _, optional = TABLE_COLUMNS["events"]
    for column in part.plan.columns:
        if column.name not in optional or column.name == EVENT_TYPE:
            continue
        counts, number = events.keyed(column.name), column.values is Values.NUMBER
        yield (
            column.name,
            ColumnQuality(
                table="events",
                kind="contract",
                type="number" if number else "text",
                columns=[column.name],
                spans=_checked(events.rows, counts.nulls, counts.nulls * 0),
                distribution=histogram(counts) if number else None,
            ),
        )


def _labels(counts: Keyed, types: tuple[str, ...]) -> dict[str, dict[str, int]]:
    table = np.zeros((len(types), len(EVERY_SPAN)), dtype=np.int64)
    table[counts.keys] = counts.counts
    rows = zip(types, table.tolist(), strict=True)
    return {name: dict(zip(EVERY_SPAN, row, strict=True)) for name, row in rows}


def _items(events: _Table, catalogue: Catalogue, vocabulary: Any) -> ItemQuality:
    counts = events.keyed(ITEM_ID)
    size, totals = len(catalogue.ids), counts.counts.sum(axis=1)
    known = _contains(vocabulary, catalogue.ids)[counts.keys]
    oov = counts.counts[~known].sum(axis=0)
    top = -(-size // _TOP_SHARE)
    ids = catalogue.ids.take(pa.array(counts.keys[known]))
    popular = top_tokens(Keyed(ids, counts.counts[known], counts.nulls), LISTED_TOKENS)
    unnamed = popular.other + int(oov.sum())
    return ItemQuality(
        catalogue=size,
        orphans=size - len(counts.keys),
        top_items=top,
        top_events=int(np.sort(totals)[::-1][:top].sum()),
        spans=_checked(events.rows, oov * 0, oov),
        popularity=popular.model_copy(update={"other": unnamed}),
    )


def _checked(rows: Mapping[str, int], nulls: Any, oov: Any) -> dict[str, Checked]:
    return {
        span: Checked(rows=rows[span], nulls=int(nulls[i]), oov=int(oov[i]))
        for i, span in enumerate(rows)
    }


def _vocabulary(output: Path, name: str) -> Any:
    text = vocabulary_path(output, name).read_text(encoding="utf-8")
    return pa.array(text.split("\n")[:-1], pa.large_string())


def _contains(vocabulary: Any, tokens: Any) -> Any:
    found = pc.is_in(tokens, value_set=vocabulary)
    return found.to_numpy(zero_copy_only=False)
