"""The row-wise rival: the pipeline that Beam's guides teach, one element a row.

Doubles are dropped inside a user's group and statistics computed from whole groups,
which is far cheaper than `Distinct` and `Count.PerElement` over all events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from prepare_rivals import demo
from prepare_rivals.demo import Tables
from prepare_rivals.plain import write_vocabulary
from prepare_rivals.tfrecords import example

Row: TypeAlias = dict[str, Any]
Event: TypeAlias = tuple[int, str, float, float, str]
"""Timestamp, item, price, quantity, session."""


def run(tables: Tables, output: Path) -> None:
    """Makes the dataset in one pipeline."""
    options = PipelineOptions(["--runner=FnApiRunner"])
    with beam.Pipeline(options=options) as pipeline:
        items = (
            pipeline
            | "ReadItems" >> beam.io.ReadFromParquet(str(tables.items))
            | "Merchandise" >> beam.Filter(is_merchandise)
            | "Item" >> beam.Map(item_features)
            | "ItemKey" >> beam.Map(lambda row: (row["item_id"], row))
            | "ItemGroups" >> beam.GroupByKey()
            | "FirstItem" >> beam.Map(first)
        )
        users = (
            pipeline
            | "ReadUsers" >> beam.io.ReadFromParquet(str(tables.users))
            | "User" >> beam.Map(user_features)
        )
        profiles = users | "Profile" >> beam.Map(lambda row: (row["user_id"], row))
        catalogue = items | "Id" >> beam.Map(lambda row: (row["item_id"], None))
        histories = (
            pipeline
            | "ReadEvents"
            >> beam.io.ReadFromParquet(
                str(tables.events), columns=list(demo.EVENT_COLUMNS)
            )
            | "Sold" >> beam.Filter(lambda row: row["quantity"] > 0)
            | "Event" >> beam.Map(event)
            | "Known" >> beam.Filter(is_known, beam.pvalue.AsDict(catalogue))
            | "Users" >> beam.GroupByKey()
            | "Sort" >> beam.MapTuple(lambda user, group: (user, sorted(set(group))))
        )
        _write(items, output / "items", "Items")
        _write(users, output / "users", "UserRecords")
        sequences = histories | "Sequence" >> beam.Map(
            sequence_features, beam.pvalue.AsDict(profiles)
        )
        _write(sequences, output / "sequences", "Sequences")
        counts = (
            histories
            | "UserItems" >> beam.FlatMap(train_counts)
            | "ItemCounts" >> beam.CombinePerKey(sum_pairs)
        )
        _collect(counts, output, catalogue)
        _vocabularies(items, demo.CATEGORICAL, output, "ItemTokens")
        _vocabularies(users, demo.PROFILE, output, "UserTokens")


def is_merchandise(row: Row) -> bool:
    """Tells whether an item belongs to the catalogue."""
    return row["department"] not in demo.NO_MERCHANDISE


def item_features(row: Row) -> Row:
    """Returns an item's features."""
    parts = [row[name] for name in demo.DESCRIPTION]
    return {
        "item_id": str(row["product_id"]),
        **{name: text(row[name]) for name in demo.CATEGORICAL},
        "description": " ".join(part for part in parts if part),
    }


def user_features(row: Row) -> Row:
    """Returns a profile's features."""
    profile = {name: text(row[name]) for name in demo.PROFILE}
    return {"user_id": str(row["household_id"]), **profile}


def event(row: Row) -> tuple[str, Event]:
    """Returns a user and one of their events."""
    return str(row["household_id"]), (
        int(row["transaction_timestamp"].replace(tzinfo=UTC).timestamp()),
        str(row["product_id"]),
        float(np.float32(row["sales_value"])),
        float(row["quantity"]),
        str(row["basket_id"]),
    )


def is_known(keyed: tuple[str, Event], catalogue: dict[str, None]) -> bool:
    """Tells whether an event's item stands in the catalogue."""
    return keyed[1][1] in catalogue


def first(group: tuple[str, Iterable[Row]]) -> Row:
    """Returns the first row of an id."""
    return next(iter(group[1]))


def sequence_features(
    history: tuple[str, list[Event]], profiles: dict[str, Row]
) -> dict[str, Any]:
    """Returns the parallel sequences of a user."""
    user, events = history
    timestamp, item, price, quantity, session = zip(*events, strict=True)
    return {
        **profiles.get(user, {}),
        "user_id": user,
        "target_start": 0,
        "item_id": item,
        "event_type": ["purchase"] * len(item),
        "timestamp": timestamp,
        "price": price,
        "quantity": quantity,
        "session_id": session,
    }


def train_counts(
    history: tuple[str, list[Event]],
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yields (item, (events, users)) of one user's training span."""
    _, events = history
    items = Counter(item for time, item, *_ in events if time < demo.VALIDATION_START_S)
    for item, count in items.items():
        yield item, (count, 1)


def sum_pairs(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Adds up events and users."""
    events = users = 0
    for more, others in pairs:
        events += more
        users += others
    return events, users


def serialised(row: Row) -> bytes:
    """Returns the Example of a row of values and lists."""
    return example(
        {n: v if isinstance(v, list | tuple) else [v] for n, v in row.items()}
    )


def text(value: Any) -> str:
    """Returns a value as text, a missing one as the empty text."""
    return "" if value is None else str(value)


def _write(rows: Any, folder: Path, name: str) -> None:
    (
        rows
        | f"{name}Serialise" >> beam.Map(serialised)
        | f"{name}Write"
        >> beam.io.WriteToTFRecord(
            str(folder / "part"), file_name_suffix=".tfrecord", num_shards=demo.SHARDS
        )
    )


def _collect(counts: Any, output: Path, catalogue: Any) -> None:
    (
        counts
        | "AllCounts" >> beam.combiners.ToList()
        | "WriteCounts"
        >> beam.Map(write_statistics, output, beam.pvalue.AsDict(catalogue))
    )


def write_statistics(
    counts: list[tuple[str, tuple[int, int]]], output: Path, catalogue: dict[str, None]
) -> None:
    """Writes the items' counts and the vocabulary of ids."""
    found = dict(counts)
    rows = [(item, *found.get(item, (0, 0))) for item in sorted(catalogue)]
    items, events, users = zip(*rows, strict=True)
    columns = {
        "item_id": items,
        "train_events": events,
        "train_weight": [count * 1.0 for count in events],
        "train_users": users,
    }
    pq.write_table(pa.table(columns), output / "item_statistics.parquet")
    by_id = {item: count for item, (count, _) in counts}
    write_vocabulary(output, "item_id", by_id)


def _vocabularies(rows: Any, names: tuple[str, ...], output: Path, label: str) -> None:
    (
        rows
        | f"{label}Split" >> beam.FlatMap(tokens, names)
        | f"{label}Count" >> beam.combiners.Count.PerElement()
        | f"{label}Key" >> beam.MapTuple(lambda key, count: (key[0], (key[1], count)))
        | f"{label}Group" >> beam.GroupByKey()
        | f"{label}Write"
        >> beam.MapTuple(lambda name, c: write_vocabulary(output, name, dict(c)))
    )


def tokens(row: Row, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yields the categorical values of a row."""
    for name in names:
        if row[name]:
            yield name, row[name]
