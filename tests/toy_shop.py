"""A made shop whose right answers are known: a checkerboard of likes.

Even users buy even items only, odd users odd ones. `python -m tests.toy_shop FOLDER`
writes the three tables, each in another format.
"""

import csv
import gzip
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ITEMS = 1200
USERS = 200
EVENTS_A_USER = 40
START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 70
POPULAR = 100
"""Purchases come from the first so many items, so that they have histories."""


def parity_of(item_id: str) -> str:
    return "even" if int(item_id.removeprefix("i")) % 2 == 0 else "odd"


def write_toy_shop(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random_ = random.Random(7)
    items = {
        "sku": [f"i{n}" for n in range(ITEMS)],
        "title": [f"{'even' if n % 2 == 0 else 'odd'} thing {n}" for n in range(ITEMS)],
        "colour": ["white" if n % 2 == 0 else "black" for n in range(ITEMS)],
        "price": [float(1 + n % 20) for n in range(ITEMS)],
    }
    pq.write_table(pa.table(items), folder / "items.parquet")
    with (folder / "users.jsonl").open("w", encoding="utf-8") as users:
        for n in range(0, USERS, 2):  # every second pair of users has a profile
            users.write(json.dumps({"customer": f"u{n}", "team": f"t{n % 2}"}) + "\n")
    with gzip.open(folder / "events.csv.gz", "wt", newline="") as file:
        events = csv.writer(file)
        events.writerow(["customer", "sku", "when", "kind", "quantity"])
        for n in range(USERS):
            for _ in range(EVENTS_A_USER):
                item = 2 * random_.randrange(POPULAR // 2) + n % 2
                when = START + timedelta(seconds=random_.randrange(DAYS * 86400))
                kind = random_.choice(["view", "purchase"])
                row = [f"u{n}", f"i{item}", f"{when:%Y-%m-%dT%H:%M:%SZ}", kind, 1]
                events.writerow(row)


if __name__ == "__main__":
    write_toy_shop(Path(sys.argv[1]))
