"""A tiny shop, written in every format, and what its dataset must hold.

The expectations are computed by plain loops over the rows below.
"""

import csv
import datetime as dt
import gzip
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tfrs_app.contract.loading import load_config

ENDINGS = ("parquet", "csv", "csv.gz", "jsonl")
CONFIG = {
    "shop": "tiny",
    "data": {
        "events": {
            "columns": {
                "user_id": "customer", "item_id": "product", "timestamp": "moment",
                "event_type": "kind", "price": "paid", "session_id": "receipt",
            },
            "where": "quantity > 0",
        },
        "items": {"columns": {"item_id": "product"}, "where": "color != 'none'"},
        "users": {"columns": {"user_id": "customer"}},
        "split": {"validation_start": "2020-01-11", "test_start": "2020-01-21"},
        "max_rejected": 0.2,
        "shards": 3,
    },
    "event_weights": {"view": 0.25, "purchase": 1.0},
    "features": [
        {"name": "color", "role": "candidate", "kind": "categorical"},
        {"name": "size", "role": "candidate", "kind": "numeric"},
        {"name": "title", "role": "candidate", "kind": "text",
         "columns": ["name", "color"]},
        {"name": "city", "role": "query", "kind": "categorical", "min_count": 2},
        {"name": "age", "role": "query", "kind": "bucketized"},
        {"name": "store", "role": "context", "kind": "categorical"},
        {"name": "wait", "role": "context", "kind": "numeric"},
    ],
}  # fmt: skip
EPOCH = dt.datetime(1970, 1, 1)


def made_items():
    colors = ["red", "blue", "green", None, "none"]
    items = [
        {
            "product": 95 + i,  # so that ids of two and three digits sort by bytes
            "color": colors[i % 5],
            "size": None if i % 7 == 0 else i / 4,
            "name": None if i % 4 == 0 else f"thing {i}",
        }
        for i in range(30)
    ]
    return [*items, {**items[1], "color": "late"}]  # the first row of an id counts


def made_users():
    cities = ["Ulm", "Köln", "Köln", None, "Ulm", "Bonn"]
    return [
        {"customer": i, "city": cities[i % 6], "age": None if i == 3 else 20 + i}
        for i in range(12)
    ]


def made_events(rows=600, seed=7):
    random.seed(seed)
    start = dt.datetime(2020, 1, 1)
    events = [
        {
            "customer": random.choice([*range(15), 1000]),
            "product": 95 + random.randrange(30),
            "moment": start + dt.timedelta(hours=random.randrange(30 * 24)),
            "kind": random.choice(["view", "view", "purchase"]),
            "quantity": random.choice([0, 1, 1, 2, 3]),
            "paid": random.choice([None, 0.5, 1.25, 9.99]),
            "receipt": random.randrange(100),
            "store": random.choice(["north", "south", None]),
            "wait": random.choice([None, 0.1, 2.5]),
        }
        for _ in range(rows)
    ]
    events += [dict(event) for event in events[:40:2]]  # duplicates
    wrong = {"product": 7, "kind": "return", "customer": None, "moment": None}
    for row, (name, value) in zip(range(100, 120, 5), wrong.items(), strict=True):
        events[row] |= {name: value, "quantity": 1}
    return events


def write_table(path, rows):
    if path.name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=150)
        return
    rows = [
        {k: v.isoformat() if isinstance(v, dt.datetime) else v for k, v in row.items()}
        for row in rows
    ]
    opened = gzip.open if path.name.endswith("gz") else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if path.name.endswith("jsonl"):
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def write_shop(folder, ending="parquet", **tables):
    """Writes the three tables and the YAML; returns the YAML's path."""
    made = {"events": made_events, "items": made_items, "users": made_users}
    tree = json.loads(json.dumps(CONFIG))
    tree["artifacts"] = str(folder / "artifacts")
    for name, make in made.items():
        path = folder / f"{name}.{ending}"
        write_table(path, tables.get(name) or make())
        tree["data"][name]["source"] = str(path)
    config = folder / "tiny.yaml"
    config.write_text(yaml.safe_dump(tree))
    return config


def loaded(path, *overrides):
    return load_config(path, overrides)


def expected_items():
    """Item id -> row, of the items that the catalogue holds."""
    found = {}
    for row in made_items():
        if row["color"] not in (None, "none"):  # NULL != 'none' is not true
            found.setdefault(str(row["product"]), row)
    return found


def expected_events(rows=None):
    """(user, events sorted) of all users, as tuples in the order of their sort key."""
    catalogue = expected_items()
    users = {}
    for row in made_events() if rows is None else rows:
        if (
            row["quantity"] > 0
            and str(row["product"]) in catalogue
            and row["kind"] in ("view", "purchase")
            and None not in (row["customer"], row["moment"])
        ):
            event = (
                int((row["moment"] - EPOCH).total_seconds()),
                str(row["product"]).encode(),
                row["kind"].encode(),
                float("inf") if row["paid"] is None else row["paid"],
                row["quantity"],
                str(row["receipt"]).encode(),
                (row["store"] or "").encode(),
                float("inf") if row["wait"] is None else row["wait"],
            )
            users.setdefault(str(row["customer"]), set()).add(event)
    return {user: sorted(events) for user, events in users.items()}
