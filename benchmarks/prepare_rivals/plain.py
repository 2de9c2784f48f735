"""The plain rival: a pyarrow and numpy script that holds whole tables in memory.

No Beam, no workers, no rejects with their reasons, no audit, one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prepare_rivals import demo
from prepare_rivals.demo import Tables
from prepare_rivals.pairs import repurchase_days, write_co_purchases
from prepare_rivals.tfrecords import example, write

_STRING = pa.string()


def run(tables: Tables, output: Path) -> None:
    """Makes the dataset."""
    items, filtered = read_items(tables.items)
    users = pq.read_table(tables.users)
    events = read_events(tables.events, items, filtered)
    write_items(items, output)
    profiles = write_users(users, output)
    write_sequences(events, items, profiles, output)
    write_statistics(events, items, output)
    for table, names in ((items, demo.CATEGORICAL), (users, demo.PROFILE)):
        for name in names:
            counts = pc.value_counts(texts(table.column(name)).drop_null())
            tokens, rows = (counts.field(i).to_pylist() for i in range(2))
            write_vocabulary(output, name, dict(zip(tokens, rows, strict=True)))


def read_items(path: Path) -> tuple[pa.Table, Any]:
    """Returns the catalogue, ascending by id, and the ids that are no merchandise."""
    table = pq.read_table(path)
    ids = texts(table.column("product_id"))
    table = table.set_column(
        table.column_names.index("product_id"), "product_id", ids
    ).append_column("place", pa.array(np.arange(len(table))))
    out = pc.is_in(table.column("department"), pa.array(demo.NO_MERCHANDISE))
    kept = table.filter(pc.invert(out))
    kept = kept.sort_by([("product_id", "ascending"), ("place", "ascending")])
    ids = kept.column("product_id").to_numpy()
    first = np.append(True, ids[1:] != ids[:-1])
    kept = kept.filter(pa.array(first)).combine_chunks()
    return kept, table.filter(out).column("product_id")


def read_events(path: Path, items: pa.Table, filtered: Any) -> dict[str, Any]:
    """Returns the events, sorted, each once: columns of numbers and ranks."""
    table = pq.read_table(path, columns=list(demo.EVENT_COLUMNS))
    table = table.filter(pc.greater(table.column("quantity"), 0))
    place = on_distinct(
        table.column("product_id"),
        lambda ids: pc.index_in(ids, items.column("product_id").combine_chunks()),
    )
    table = table.append_column("item", place).filter(place.is_valid())
    user, users = ranks(table.column("household_id"))
    session, sessions = ranks(table.column("basket_id"))
    moments = table.column("transaction_timestamp").cast(pa.timestamp("s"), safe=False)
    columns = {
        "user": user,
        "timestamp": moments.cast(pa.int64()).to_numpy(),
        "item": table.column("item").to_numpy(),
        "price": table.column("sales_value").to_numpy().astype(np.float32),
        "quantity": table.column("quantity").to_numpy().astype(np.float32),
        "session": session,
    }
    order = np.lexsort([*columns.values()][::-1])
    columns = {name: values[order] for name, values in columns.items()}
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = np.any([v[1:] != v[:-1] for v in columns.values()], axis=0)
    columns = {name: values[fresh] for name, values in columns.items()}
    return columns | {"users": users, "sessions": sessions}


def write_items(items: pa.Table, output: Path) -> None:
    """Writes one Example an item."""
    columns = {n: texts(items.column(n)).fill_null("") for n in demo.CATEGORICAL}
    parts = [texts(items.column(n)).fill_null("") for n in demo.DESCRIPTION]
    lines = zip(*(part.to_pylist() for part in parts), strict=True)
    columns["description"] = [" ".join(filter(None, line)) for line in lines]
    write_rows(output / "items", {"item_id": items.column("product_id")} | columns)


def write_users(users: pa.Table, output: Path) -> dict[str, dict[str, str]]:
    """Writes one Example a profile and returns the profiles by user."""
    ids = texts(users.column("household_id")).to_pylist()
    columns = {n: texts(users.column(n)).fill_null("") for n in demo.PROFILE}
    write_rows(output / "users", {"user_id": ids} | columns)
    values = zip(*(column.to_pylist() for column in columns.values()), strict=True)
    profiles = (dict(zip(columns, row, strict=True)) for row in values)
    return dict(zip(ids, profiles, strict=True))


def write_sequences(
    events: dict[str, Any],
    items: pa.Table,
    profiles: dict[str, dict[str, str]],
    output: Path,
) -> None:
    """Writes one Example a user."""
    starts = [*np.flatnonzero(np.diff(events["user"], prepend=-1)), None]
    shards = np.array_split(np.arange(len(starts) - 1), demo.SHARDS)
    users = events["users"].to_pylist()
    ids, sessions = (
        np.array(texts.cast(pa.binary()).to_pylist(), dtype=object)
        for texts in (items.column("product_id"), events["sessions"])
    )

    def records(shard: Any) -> Iterator[bytes]:
        for index in shard:
            part = slice(starts[index], starts[index + 1])
            user = users[events["user"][part.start]]
            times = events["timestamp"][part].tolist()
            yield example(
                {name: [value] for name, value in profiles.get(user, {}).items()}
                | {
                    "user_id": [user],
                    "target_start": [0],
                    "item_id": ids[events["item"][part]].tolist(),
                    "event_type": [b"purchase"] * len(times),
                    "timestamp": times,
                    "price": events["price"][part].tolist(),
                    "quantity": events["quantity"][part].tolist(),
                    "session_id": sessions[events["session"][part]].tolist(),
                }
            )

    for number, shard in enumerate(shards):
        write(output / "sequences" / f"part-{number}.tfrecord", records(shard))


def write_statistics(events: dict[str, Any], items: pa.Table, output: Path) -> None:
    """Counts the items' training events and writes the vocabulary of ids."""
    train = events["timestamp"] < demo.VALIDATION_START_S
    size, item, user = len(items), events["item"][train], events["user"][train]
    counts = np.bincount(item, minlength=size)
    pairs = np.sort(user * size + item)
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])]
    ids = items.column("product_id")
    columns = {
        "item_id": ids,
        "train_events": counts,
        "train_weight": counts * 1.0,
        "train_users": np.bincount(pairs % size, minlength=size),
    }
    session = events["session"][train]
    basket = user * (session.max() + 1) + session
    write_co_purchases(item, basket, ids.combine_chunks(), output)
    moments = events["timestamp"][train]
    columns["repurchase_days"] = repurchase_days(item, user, moments, size)
    pq.write_table(pa.table(columns), output / "item_statistics.parquet")
    seen = np.flatnonzero(counts)
    tokens = ids.take(pa.array(seen)).to_pylist()
    by_id = dict(zip(tokens, counts[seen].tolist(), strict=True))
    write_vocabulary(output, "item_id", by_id)


def write_vocabulary(output: Path, name: str, counts: dict[str, int]) -> None:
    """Writes the tokens, most frequent first, ties by bytes."""
    path = output / "vocabularies" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    tokens = sorted(counts, key=lambda token: (-counts[token], token))
    path.write_text("".join(f"{token}\n" for token in tokens))


def write_rows(folder: Path, columns: dict[str, Any]) -> None:
    """Writes one Example a row of texts."""
    arrays = (
        pa.array(c, _STRING) if isinstance(c, list) else c for c in columns.values()
    )
    values = [array.cast(pa.binary()).to_pylist() for array in arrays]
    rows = list(zip(*values, strict=True))
    for number, part in enumerate(np.array_split(np.arange(len(rows)), demo.SHARDS)):
        records = (
            example({n: [v] for n, v in zip(columns, rows[row], strict=True)})
            for row in part
        )
        write(folder / f"part-{number}.tfrecord", records)


def texts(column: Any) -> Any:
    """Returns a column as text; the empty text is missing."""
    values = column.combine_chunks().cast(_STRING)
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, _STRING), values)


def ranks(column: Any) -> tuple[Any, Any]:
    """Returns each id's rank as text, and the distinct texts, ascending."""
    encoded = column.combine_chunks().dictionary_encode()
    names = encoded.dictionary.cast(_STRING)
    order = pc.sort_indices(names).to_numpy()
    rank = np.argsort(order)
    return rank[encoded.indices.to_numpy()], names.take(pa.array(order))


def on_distinct(column: Any, function: Any) -> Any:
    """Returns a function of the text of each id, computed for the distinct ones."""
    encoded = column.combine_chunks().dictionary_encode()
    return function(encoded.dictionary.cast(_STRING)).take(encoded.indices)
