"""What the datasets of all rivals must agree on, read from their files."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam.example_messages import features_in


def facts_of(folder: Path, *, pairs: bool) -> dict[str, Any]:
    """Returns counts, sums, digests of vocabularies and of the order in sequences.

    Args:
        folder: the dataset's.
        pairs: whether co-purchases and intervals between purchases count.
    """
    numbers = {"events": 0, "users": 0, "in_order": 0}
    sums: dict[str, list[float]] = {"price": [], "quantity": [], "timestamp": []}
    for features in _records(folder / "sequences"):
        item_ids = features["item_id"].bytes_list.value
        numbers["events"] += len(item_ids)
        numbers["users"] += 1
        line = b" ".join([*features["user_id"].bytes_list.value, *item_ids])
        numbers["in_order"] ^= int(hashlib.sha256(line).hexdigest()[:15], 16)
        for name, kind in (("price", "float"), ("quantity", "float")):
            sums[name].append(math.fsum(getattr(features[name], f"{kind}_list").value))
        sums["timestamp"].append(sum(features["timestamp"].int64_list.value))
    items = pq.read_table(folder / "item_statistics.parquet")
    counted = ("train_events", "train_users", "train_weight")
    return {
        **numbers,
        **(_baskets(folder, items) if pairs else {}),
        **{name: round(math.fsum(values), 2) for name, values in sums.items()},
        **{name: pc.sum(items.column(name)).as_py() for name in counted},
        "items": _rows(folder / "items"),
        "profiles": _rows(folder / "users"),
        "vocabularies": {
            path.stem: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in sorted((folder / "vocabularies").glob("*.txt"))
        },
    }


def _baskets(folder: Path, items: Any) -> dict[str, Any]:
    """Returns pairs and intervals."""
    pairs = pq.read_table(folder / "co_purchases").sort_by("item_id")
    both = pairs.select(["item_id", "other_item_id", "baskets"]).to_pylist()
    days = items.column("repurchase_days")
    return {
        "pairs": hashlib.sha256(repr(both).encode()).hexdigest()[:12],
        "lift": round(math.fsum(pairs.column("lift").to_pylist()), 3),
        "repurchase_days": math.fsum(days.filter(pc.is_finite(days)).to_pylist()),
    }


def _rows(folder: Path) -> dict[str, Any]:
    """Returns the number of records, and a digest of all values in any order."""
    count = digest = 0
    for features in _records(folder):
        row = [(name, *features[name].bytes_list.value) for name in sorted(features)]
        digest ^= int(hashlib.sha256(repr(row).encode()).hexdigest()[:15], 16)
        count += 1
    return {"records": count, "digest": digest}


def _records(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("*.tfrecord")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            length = int.from_bytes(content[place : place + 8], "little")
            yield features_in(content[place + 12 : place + 12 + length])
            place += 16 + length
