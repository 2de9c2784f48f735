"""Merges shards' statistics into vocabularies, stats.json and item counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from beam.catalogue import Catalogue
from beam.event_counts import item_events_path
from beam.reports import EventCounts, TableReport
from beam.repurchases import Repurchases
from beam.sinks import atomic_file, read_table
from beam.statistics import Summary, merge_numbers, merge_tokens, vocabulary
from tfrs_app.contract.artifacts import STATS, write_atomically
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.data_config import DataConfig, SplitConfig
from tfrs_app.contract.dataset import (
    ITEM_STATISTICS,
    vocabulary_path,
)
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID, Feature, Kind, Role

TABLE_OF = {Role.CONTEXT: "events", Role.CANDIDATE: "items", Role.QUERY: "users"}


@dataclass(frozen=True)
class ItemCounts:
    """Counts each catalogue item's training events; arrays are [items]."""

    events: Any
    weight: Any
    users: Any


def check_split(split: SplitConfig, events: EventCounts) -> None:
    """Checks that events fall into each of the three spans.

    Raises:
        DataError: names the key that leaves a span empty and the data's time range.
    """
    for span, key in (
        ("train", "validation_start"),
        ("validation", "test_start"),
        ("test", "test_end" if split.test_end else "test_start"),
    ):
        if not events.spans.get(span, 0):
            raise DataError(
                f"data.split.{key}: {getattr(split, key).isoformat()} leaves no event "
                f"for {span}; events last from {moment_of(events.first)} to "
                f"{moment_of(events.last)}, choose moments in between"
            )


def count_items(
    folder: Path, shards: int, catalogue: Catalogue, weights: Sequence[float]
) -> ItemCounts:
    """Adds up the training events of each item.

    Args:
        folder: the events' work folder.
        shards: number of shards.
        catalogue: the items, in file order.
        weights: of the event types, in the plan's order.
    """
    size = len(catalogue.ids)
    users = np.zeros(size, dtype=np.int64)
    by_type = np.zeros((size, len(weights)), dtype=np.int64)
    for shard in range(shards):
        table = read_table(item_events_path(folder, shard))
        items = table.column("item").to_numpy()
        users[items] += table.column("users").to_numpy()
        for index in range(len(weights)):
            by_type[items, index] += table.column(f"events_{index}").to_numpy()
    return ItemCounts(by_type.sum(axis=1), by_type @ np.asarray(weights), users)


def write_item_statistics(
    folder: Path, catalogue: Catalogue, counts: ItemCounts, repurchases: Repurchases
) -> None:
    """Writes one row for each catalogue item, in catalogue order."""
    table = pa.table(
        {
            ITEM_ID: catalogue.ids.cast(pa.string()),
            "train_events": counts.events,
            "train_weight": counts.weight,
            "train_users": counts.users,
            "repurchases": repurchases.intervals,
            "repurchase_days": repurchases.days,
        }
    )
    with atomic_file(folder / ITEM_STATISTICS) as file:
        pq.write_table(table, file)


def write_vocabularies(
    folder: Path,
    config: ShopConfig,
    tables: dict[str, TableReport],
    catalogue: Catalogue,
    counts: ItemCounts,
    base: Path | None = None,
) -> Summary:
    """Writes every vocabulary and returns the sizes.

    The tokens of a dataset `base` come first, in their order, so that ids stay.

    Raises:
        DataError: a vocabulary would be empty.
    """
    tokens, size = _item_vocabulary(catalogue, counts, config.data.item_min_users)
    sizes = {ITEM_ID: size}
    tokens = continued(base, ITEM_ID, tokens)
    size["size"] = len(tokens)
    _write_vocabulary(folder, ITEM_ID, tokens, "data.item_min_users")
    for feature in config.spec.features:
        if feature.kind is Kind.CATEGORICAL:
            report = tables[TABLE_OF[feature.role]]
            tokens, sizes[feature.name] = _feature_vocabulary(feature, report)
            tokens = continued(base, feature.name, tokens)
            sizes[feature.name]["size"] = len(tokens)
            key = f"features.{feature.name}.min_count"
            _write_vocabulary(folder, feature.name, tokens, key)
    return sizes


def continued(base: Path | None, name: str, tokens: list[str]) -> list[str]:
    """Returns tokens in the order of a dataset's vocabulary, then those that are new.

    The place of one that no longer qualifies stays taken, but not its name: it may
    tell of a user who is gone.
    """
    if base is None:
        return tokens
    old = vocabulary_path(base, name).read_text(encoding="utf-8").split("\n")[:-1]
    known, valid = set(old), set(tokens)
    kept = [t if t in valid else f"[REMOVED {place}]" for place, t in enumerate(old)]
    return [*kept, *(token for token in tokens if token not in known)]


def numeric_summaries(config: ShopConfig, tables: dict[str, TableReport]) -> Summary:
    """Returns moments and quantiles of every numeric feature.

    Raises:
        DataError: a feature has no value at all.
    """
    return {
        feature.name: _numeric(feature, tables[TABLE_OF[feature.role]])
        for feature in config.spec.features
        if feature.kind in (Kind.NUMERIC, Kind.BUCKETIZED)
    }


def write_stats(
    folder: Path,
    data: DataConfig,
    events: EventCounts,
    counts: ItemCounts,
    numeric: Summary,
    vocabularies: Summary,
    co_purchases: Summary,
    user_key: str | None,
) -> None:
    """Writes stats.json."""
    stats = {
        "user_key": user_key,
        "split": {
            name: moment.astimezone(UTC).isoformat() if moment else None
            for name, moment in data.split
        },
        "rows": {"history_length": data.rows_shown},
        "time": {"first": moment_of(events.first), "last": moment_of(events.last)},
        "events": {**events.spans, "by_type": events.by_type},
        "users": {"with_events": events.users, "profiled": events.profiled},
        "items": {
            "catalogue": len(counts.events),
            "with_train_events": int((counts.events > 0).sum()),
        },
        "numeric": numeric,
        "vocabularies": vocabularies,
        "co_purchases": co_purchases,
    }
    write_atomically(folder / STATS, orjson.dumps(stats, option=orjson.OPT_INDENT_2))


def _item_vocabulary(
    catalogue: Catalogue, counts: ItemCounts, min_users: int
) -> tuple[list[str], Summary]:
    seen = counts.events > 0
    places = np.flatnonzero(seen & (counts.users >= min_users))
    places = places[np.argsort(-counts.events[places], kind="stable")]
    tokens = catalogue.ids.take(pa.array(places)).to_pylist()
    dropped = int(seen.sum()) - len(tokens)
    return tokens, {"size": len(tokens), "dropped": dropped, "nulls": 0}


def _feature_vocabulary(
    feature: Feature, report: TableReport
) -> tuple[list[str], Summary]:
    merged = merge_tokens(shard.partial.tokens[feature.name] for shard in report.shards)
    tokens = vocabulary(merged, feature.min_count)
    dropped = len(merged.counts) - len(tokens)
    return tokens, {"size": len(tokens), "dropped": dropped, "nulls": merged.nulls}


def _write_vocabulary(folder: Path, name: str, tokens: list[str], key: str) -> None:
    if not tokens:
        raise DataError(
            f"{key}: no value of {name!r} is frequent enough, its vocabulary would be "
            "empty; lower the threshold or drop the feature"
        )
    content = "".join(f"{token}\n" for token in tokens).encode()
    write_atomically(vocabulary_path(folder, name), content)


def _numeric(feature: Feature, report: TableReport) -> Summary:
    parts = [shard.partial.numbers[feature.name] for shard in report.shards]
    summary = merge_numbers(parts)
    if not summary["count"]:
        raise DataError(
            f"features.{feature.name}: column {feature.columns[0]!r} of data."
            f"{report.table} holds no number that training sees; drop the feature or "
            "mend the column"
        )
    return summary


def moment_of(seconds: int) -> str:
    """Returns ISO 8601, UTC, of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
