"""A made shop whose right answers are known: a checkerboard of likes.

Even users buy even items only, odd users odd ones. `python -m tests.toy_shop FOLDER`
writes the tables as shops have them: views and orders in CSV of two dialects, items in
Parquet, users in JSON Lines, lists that were shown in Parquet, and the key by which
user ids are hashed.
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
RETURNS = 100
SHOWN_LISTS = 300
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
    views, orders = [], []
    for n in range(USERS):
        for _ in range(EVENTS_A_USER):
            item = 2 * random_.randrange(POPULAR // 2) + n % 2
            when = START + timedelta(seconds=random_.randrange(DAYS * 86400))
            row = [f"u{n}", f"i{item}", f"{when:%Y-%m-%dT%H:%M:%SZ}"]
            if random_.random() < 0.5:
                views.append(row)
            else:
                orders.append([*row, "sale", random_.choice([1, 1, 2])])
    for order in random_.sample(orders, RETURNS):  # sent back a minute later
        later = datetime.fromisoformat(order[2]) + timedelta(minutes=1)
        back = [*order[:2], f"{later:%Y-%m-%dT%H:%M:%SZ}", "sale", -order[4]]
        orders += [back, [*order[:4], 0], [*order[:3], "voucher", 1]]
    with (folder / "views.csv").open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";", quotechar="'", escapechar="\\").writerows(views)
    with gzip.open(folder / "orders.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows([["customer", "sku", "when", "kind", "quantity"]])
        csv.writer(file).writerows(orders)
    pq.write_table(pa.table(shown(random_)), folder / "impressions.parquet")
    (folder / "user_ids.key").write_text("a made key for a made shop, of 43 letters..")


def shown(random_: random.Random) -> dict[str, list]:
    """Lists of random popular items, half of which the user never buys."""
    columns = {name: [] for name in ("user_id", "item_id", "timestamp", "position")}
    columns["list_id"] = []
    for n in range(SHOWN_LISTS):
        user = f"u{random_.randrange(USERS)}"
        when = START + timedelta(seconds=random_.randrange(DAYS * 86400))
        for position, item in enumerate(random_.sample(range(POPULAR), 10)):
            row = [user, f"i{item}", when, position, f"list {n}"]
            for values, value in zip(columns.values(), row, strict=True):
                values.append(value)
    return columns


def overrides(folder: Path) -> list[str]:
    """What points configs/smoke.yaml at the tables in a folder."""
    return [
        f"data.events.0.source={folder / 'views.csv'}",
        f"data.events.1.source={folder / 'orders.csv.gz'}",
        f"data.items.source={folder / 'items.parquet'}",
        f"data.users.source={folder / 'users.jsonl'}",
        f"ranking.impressions.source={folder / 'impressions.parquet'}",
        f"data.hash_users=file:{folder / 'user_ids.key'}",
    ]


if __name__ == "__main__":
    write_toy_shop(Path(sys.argv[1]))
