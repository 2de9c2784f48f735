"""A shop of five items and three users, small enough to be read in full."""

import json

from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.loading import load_config

DAY = 86400
T0 = 1704067200  # 2024-01-01T00:00:00Z

ITEMS = [
    {"item_id": "apple", "colour": "red", "size": 1.5, "words": "Crisp"},
    {"item_id": "bread", "colour": None, "size": None, "words": None},
    {"item_id": "cheese", "colour": "yellow", "size": 2.5, "words": "Old"},
    {"item_id": "date", "colour": "red", "size": 4.0, "words": "Sweet"},
    {"item_id": "egg", "colour": "[UNK]", "size": 8.0, "words": "Fresh"},
]
USERS = [
    {"user_id": "ann", "city": "Ulm", "age": 30},
    {"user_id": "bob", "city": None, "age": None},
    {"user_id": "dora", "city": "Bonn", "age": 50},  # never bought anything
]
# user, item, day, type, store, wait
EVENTS = [
    ("ann", "bread", 0, "view", "north", 1.0),
    ("ann", "apple", 1, "purchase", "north", None),
    ("ann", "cheese", 1, "purchase", None, 2.0),
    ("ann", "apple", 10, "purchase", "south", 0.5),
    ("ann", "date", 20, "purchase", "south", 0.5),
    ("ann", "apple", 20, "view", "south", 0.5),
    ("bob", "apple", 2, "purchase", "north", 1.0),
    ("bob", "egg", 2, "purchase", "north", 1.0),
    ("bob", "egg", 11, "purchase", "north", 1.0),
    ("cid", "date", 3, "purchase", "south", None),
    ("cid", "bread", 21, "purchase", "south", 3.0),
]

CONFIG = """\
shop: little
artifacts: {folder}/artifacts
data:
  events: {{source: {folder}/events.jsonl, columns: {{event_type: kind}}}}
  items: {{source: {folder}/items.jsonl}}
  users: {{source: {folder}/users.jsonl}}
  split: {{validation_start: 2024-01-10, test_start: 2024-01-20}}
  shards: 2
event_weights: {{view: 0.25, purchase: 1.0}}
features:
  - {{name: colour, role: candidate, kind: categorical, dim: 3}}
  - {{name: size, role: candidate, kind: numeric}}
  - {{name: title, role: candidate, kind: text, columns: [item_id, words]}}
  - {{name: city, role: query, kind: categorical, dim: 3}}
  - {{name: age, role: query, kind: bucketized, buckets: 2, dim: 3}}
  - {{name: store, role: context, kind: categorical, dim: 3}}
  - {{name: wait, role: context, kind: numeric}}
  - {{name: timestamp, role: context, kind: timestamp, dim: 2}}
retrieval:
  embedding_dim: 4
  query_layers: [6]
  candidate_layers: [6]
  history_length: 3
  history_half_lives_days: [5]
  batch_size: 3
  epochs: 2
  validation_k: 2
  uniform_negatives: 0
  id_dropout: 0
export: {{index: exact, warmup_requests: 4}}
"""

BARE_CONFIG = """\
shop: little
data:
  events: {source: events.csv}
  items: {source: items.csv}
  split: {validation_start: 2024-01-10, test_start: 2024-01-20}
"""
"""The least that a shop must say; its tables need not exist."""


def write_little_shop(folder) -> ShopConfig:
    events = [
        {
            "user_id": user,
            "item_id": item,
            "timestamp": T0 + day * DAY,
            "kind": kind,
            "store": store,
            "wait": wait,
        }
        for user, item, day, kind, store, wait in EVENTS
    ]
    for name, rows in (("items", ITEMS), ("users", USERS), ("events", events)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    config = folder / "little.yaml"
    config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
    return load_config(config)
