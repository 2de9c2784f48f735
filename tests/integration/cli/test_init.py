"""`tfrs-app init` on real files: what it writes loads and goes through `prepare`."""

import gzip
import json

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tests.program import refusal, tfrs_app
from tests.unit.cli.init.shops import (
    ITEMS,
    ROWS,
    USERS,
    csv_bytes,
    cycle,
    events,
    everything,
    items,
)
from tfrs_app.cli import app
from tfrs_app.contract.loading import load_config

LOG = events(
    "Kundennummer", "Artikelnummer", "Bestelldatum",
    Menge=cycle([1, 2]), art=cycle(["Ansicht", "Kauf", "Kauf"]),
)  # fmt: skip
GOODS = items(
    "Artikelnr",
    **{
        "Farbe": cycle(["rot", "blau: hell", "#grün"], ITEMS),
        "Preis (€)": cycle([1.5, 2.5, 9.0], ITEMS),
        "Bezeichnung": [f"Eine schöne Sache {n}" for n in range(ITEMS)],
        "in_stock": cycle([True, False], ITEMS),
    },
)
PEOPLE = {
    "Kunden-Nr": everything("u", USERS),
    "Segment": cycle(["neu", "alt", "treu"], USERS),
    "E-Mail": [f"x{n}@y.example" for n in range(USERS)],
}


def write(folder, name, table, form):
    path = folder / f"{name}.{form}"
    if form == "parquet":
        pq.write_table(pa.table(table), path)
    elif form.startswith("csv"):
        content = csv_bytes(table, ";", "cp1252")
        path.write_bytes(gzip.compress(content) if form.endswith("gz") else content)
    else:
        rows = zip(*table.values(), strict=True)
        lines = [json.dumps(dict(zip(table, row, strict=True))) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told_by(*arguments):
    done = tfrs_app("init", *map(str, arguments))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prepared(config):
    done = tfrs_app("prepare", "-c", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 rejected" in done.stderr
    return done.stderr


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz", "jsonl"])
def test_a_german_shop_in_any_format_is_prepared(shop, form):
    files = [
        part
        for name, table in (("events", LOG), ("items", GOODS), ("users", PEOPLE))
        for part in (f"--{name}", write(shop, name, table, form))
    ]
    told = told_by(*files, "--shop", "Mein Laden", "--yes")
    assert told.rstrip().endswith("run -c configs/mein_laden.yaml")
    config = load_config(shop / "configs" / "mein_laden.yaml")
    (log,) = config.data.events
    assert log.columns == {
        "user_id": "Kundennummer", "item_id": "Artikelnummer",
        "timestamp": "Bestelldatum", "event_type": "art", "quantity": "Menge",
    }  # fmt: skip
    assert log.timezone == "Europe/Berlin"
    assert log.event_types == {"Ansicht": "view", "Kauf": "purchase"}
    assert config.event_weights == {"view": 0.1, "purchase": 1.0}
    kinds = {f.name: (str(f.role), str(f.kind)) for f in config.features}
    assert kinds == {
        "colour": ("candidate", "categorical"),
        "farbe": ("candidate", "categorical"),
        "preis": ("candidate", "bucketized"),
        "bezeichnung": ("candidate", "text"),
        "in_stock": ("candidate", "categorical"),
        "segment": ("query", "categorical"),
        "timestamp": ("context", "timestamp"),
    }
    assert f"{ROWS} rows -> {ROWS}" in prepared("configs/mein_laden.yaml")


def test_the_toy_shop_is_prepared(shop, toy_tables):
    told_by(
        "--events", toy_tables / "orders.csv.gz", "--items",
        toy_tables / "items.parquet", "--users", toy_tables / "users.jsonl",
        "--output", "toy.yaml", "--yes",
    )  # fmt: skip
    prepared("toy.yaml")


def test_a_simulated_shop_is_prepared(shop):
    made = ("simulate", "--output", "made", "--users", "60", "--items", "60")
    assert tfrs_app(*made, "--days", "40").returncode == 0
    tables = ("events", "items", "users")
    files = [part for t in tables for part in (f"--{t}", f"made/{t}.parquet")]
    told_by(*files, "--yes")
    config = load_config(shop / "configs" / "made.yaml")
    assert config.event_weights == {"view": 0.1, "cart": 0.5, "purchase": 1.0}
    assert "0 duplicates" in prepared("configs/made.yaml")


def test_enter_accepts_and_answers_correct(shop):
    write(shop, "log", LOG, "csv")
    write(shop, "goods", GOODS, "parquet")
    corrections = {
        "name of the shop": "corner shop",
        "time zone": "nowhere\nEurope/Vienna",
        "quantity": "-",
        "test begins": "2024-02-20",
        "weight of a view": "0\n0.2",
        "farbe": "-",
    }
    done = typed(["log.csv", "goods.parquet"], corrections)
    assert done.exit_code == 0, done.output
    assert "'nowhere' is no time zone; give e.g. Europe/Berlin" in done.output
    config = load_config(shop / "configs" / "corner_shop.yaml")
    assert config.data.events[0].timezone == "Europe/Vienna"
    assert "quantity" not in config.data.events[0].columns
    assert f"{config.data.split.test_start:%Y-%m-%d}" == "2024-02-20"
    assert config.event_weights["view"] == 0.2
    assert "farbe" not in [f.name for f in config.features]


QUESTIONS = (
    "name of the shop", "user_id", "item_id", "timestamp", "event_type", "quantity",
    "price", "session_id", "items' item_id", "time zone", "test begins",
    "validation begins", "weight of a view", "weight of a purchase", "colour", "farbe",
    "preis", "bezeichnung", "in_stock",
)  # fmt: skip


def typed(files, corrections):
    """Runs `init` with the answers; Enter where there is none."""
    answers = [*files, "", *(corrections.get(name, "") for name in QUESTIONS)]
    return CliRunner().invoke(app, ["init"], input="\n".join(answers) + "\n")


def test_nothing_is_overwritten_without_force(shop):
    write(shop, "log", LOG, "csv")
    write(shop, "goods", GOODS, "csv")
    files = ("--events", "log.csv", "--items", "goods.csv", "--yes")
    told_by(*files, "--output", "my.yaml")
    (shop / "my.yaml").write_text("mine")
    told = refusal("init", *files, "--output", "my.yaml")
    assert "my.yaml: is there already" in told
    assert (shop / "my.yaml").read_text() == "mine"
    told_by(*files, "--output", "my.yaml", "--force")
    assert load_config(shop / "my.yaml").shop == shop.name.replace("-", "_")


def nested(folder):
    rows = [{"user_id": f"u{n % 5}", "params": [1]} for n in range(20)]
    path = folder / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def broken(folder, content, name="log.csv"):
    path = folder / name
    path.write_bytes(content)
    return path


def without(table, column):
    return {name: values for name, values in table.items() if name != column}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda f: broken(f, b""), "log.csv: is empty"),
        (lambda f: broken(f, b"user_id\nu1\n"), "has one column"),
        (lambda f: broken(f, csv_bytes(LOG, header=False)), "looks like data"),
        (lambda f: broken(f, b"a,b\n\x00\x81\xff,1\n"), "is no text"),
        (lambda f: broken(f, b"not gzip", "log.csv.gz"), "log.csv.gz: cannot be read"),
        (lambda f: broken(f, b"PAR1 not", "log.parquet"), "cannot be read as parquet"),
        (lambda f: broken(f, b"[1]\n", "log.jsonl"), "holds no JSON object"),
        (lambda f: broken(f, b"a,b\n"), "has no rows"),
        (lambda f: f / "none.csv", "no file at"),
        (lambda f: broken(f, b"", "log.xls"), "tells no format"),
        (nested, "no column names the item"),
        (
            lambda f: write(f, "log", without(LOG, "Kundennummer"), "csv"),
            "no column names the user; its columns are 'Artikelnummer'",
        ),
    ],
)
def test_what_cannot_be_understood_is_told_and_nothing_written(shop, make, told):
    goods, log = write(shop, "goods", GOODS, "csv"), make(shop)
    said = refusal("init", "--events", str(log), "--items", str(goods), "--yes")
    assert told in said
    assert not (shop / "configs").exists()


def test_a_column_may_be_named(shop):
    log = {"who": LOG["Kundennummer"], **without(LOG, "Kundennummer")}
    write(shop, "log", log, "csv")
    write(shop, "goods", GOODS, "csv")
    files = ("--events", "log.csv", "--items", "goods.csv", "--yes")
    told_by(*files, "--column", "user_id=who", "--column", "quantity=-")
    config = load_config(next((shop / "configs").iterdir()))
    assert config.data.events[0].columns["user_id"] == "who"
    assert "quantity" not in config.data.events[0].columns
    told = refusal("init", *files, "--column", "colour=who", "--output", "x.yaml")
    assert "--column colour=who: write NAME=COLUMN" in told


def test_without_files_and_questions_there_is_nothing_to_do(shop):
    assert "--events: is absent" in refusal("init", "--yes")


def test_a_file_without_an_ending_of_its_own_is_csv(shop):
    write(shop, "goods", GOODS, "csv")
    table = pa.table({name: list(map(str, values)) for name, values in LOG.items()})
    options = pacsv.WriteOptions(delimiter="\t")
    pacsv.write_csv(table, shop / "log.tsv", options)
    told_by(
        "--events", "log.tsv", "--items", "goods.csv", "--output", "my.yaml", "--yes"
    )
    prepared("my.yaml")
