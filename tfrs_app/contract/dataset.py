"""Names inside a dataset folder; docs/dataset.md describes each file for readers."""

from __future__ import annotations

from pathlib import Path

SEQUENCES = "sequences"
ROWS = "rows"
ITEMS = "items"
USERS = "users"
VOCABULARIES = "vocabularies"
REJECTS = "rejects"
RECIPE = "recipe.json"
ITEM_STATISTICS = "item_statistics.parquet"
CO_PURCHASES = "co_purchases"
OTHER_ITEM_ID = "other_item_id"

EVENT_TYPE = "event_type"
TIMESTAMP = "timestamp"
QUANTITY = "quantity"
PRICE = "price"
SESSION_ID = "session_id"
TARGET_START = "target_start"
WEIGHT = "weight"

OVERLAP = 512
"""Earlier events with which a further sequence record of the same user begins."""
SPANS = ("train", "validation", "test")
EVERY_SPAN = (*SPANS, "after_test")
"""The three parts of time, in their order; each has a folder of training rows."""

FORGOTTEN = "forgotten"
"""Rows of users who were removed after the dataset had been made, in its balance."""

TABLE_COLUMNS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "events": (
        frozenset({"user_id", "item_id", TIMESTAMP}),
        frozenset({EVENT_TYPE, QUANTITY, PRICE, SESSION_ID}),
    ),
    "items": (frozenset({"item_id"}), frozenset()),
    "users": (frozenset({"user_id"}), frozenset()),
}
"""Table -> (required columns, optional columns) that `columns:` may map."""


def context_column(feature: str) -> str:
    """Returns the name of a context feature's sequence in a sequence record."""
    return f"context_{feature}"


def shard_name(index: int, shards: int, ending: str = "tfrecord") -> str:
    """Returns the file name of one shard."""
    return f"part-{index:05d}-of-{shards:05d}.{ending}"


def rows_path(folder: Path, span: str) -> Path:
    """Returns the folder of one span's training rows."""
    return folder / ROWS / span


def vocabulary_path(folder: Path, feature: str) -> Path:
    """Returns the vocabulary file of a feature: one token a line."""
    return folder / VOCABULARIES / f"{feature}.txt"
