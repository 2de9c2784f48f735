"""One made shop as plain rows, and its truth as plain arrays."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.simulated_shop import write_toy

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass
class Read:
    """The tables as lists of dicts, with numbers for ids and days for moments."""

    folder: object
    truth: dict
    events: list
    items: list
    users: list
    impressions: list


def number(identity):
    return int(identity[1:])


def rows(folder, name):
    found = pq.read_table(folder / f"{name}.parquet").to_pylist()
    for row in found:
        for key in ("user_id", "item_id"):
            if key in row:
                row[key] = number(row[key])
        if "timestamp" in row:
            row["day"] = (row["timestamp"] - MONDAY).days
    return found


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    shop = write_toy(folder)
    with np.load(shop.made.truth) as file:
        truth = dict(file)
    names = ("events", "items", "users", "impressions")
    return Read(folder, truth, *(rows(folder, name) for name in names))
