"""Exports as shop systems write them, as tables and as files."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60
ROWS = 300
USERS, ITEMS = 30, 40


def moments(form="{:%Y-%m-%d %H:%M:%S}"):
    return [form.format(START + timedelta(days=DAYS * n / ROWS)) for n in range(ROWS)]


def ids(letter, count, seed):
    draw = random.Random(seed)
    return [f"{letter}{draw.randrange(count):03d}" for _ in range(ROWS)]


def everything(letter, count):
    return [f"{letter}{n:03d}" for n in range(count)]


def events(user, item, time, **more):
    return {
        user: ids("u", USERS, 1),
        item: ids("i", ITEMS, 2),
        time: moments(),
        **more,
    }


def items(item, **more):
    return {
        item: everything("i", ITEMS),
        "colour": cycle(["red", "blue"], ITEMS),
        **more,
    }


def cycle(values, rows=ROWS):
    return [values[n % len(values)] for n in range(rows)]


def csv_bytes(table, delimiter=",", encoding="utf-8", header=True):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    if header:
        writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return text.getvalue().encode(encoding)
