"""Tables as shops have them: several files of several shapes and dialects."""

import csv
import gzip
import json

import pytest
from apache_beam.io.localfilesystem import LocalFileSystem

from beam.prepare import dataset_identity, prepare
from tests.integration.beam import shop
from tests.integration.beam.test_incremental import content_of
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ConfigError, DataError

REJECTED = ("rejects",)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The bytes of the dataset that every way to write the tables must give."""
    folder = prepare(shop.loaded(shop.write_shop(tmp_path_factory.mktemp("shop"))))
    return content_of(folder)


def assert_same(folder, reference):
    found = content_of(folder)
    assert set(found) == set(reference)
    for name, content in reference.items():
        if not name.startswith(REJECTED):
            assert found[name] == content, name


def overrides(**data):
    return [f"data.{key}={json.dumps(value)}" for key, value in data.items()]


def renamed(row, **names):
    return {names.get(key, key): value for key, value in row.items()}


def test_files_with_other_columns_types_and_formats_are_one_table(tmp_path, reference):
    events = shop.made_events()
    names = {"customer": "kunde", "moment": "zeit", "kind": "art", "store": "laden"}
    kinds = {"view": "gesehen", "purchase": "gekauft", "return": "zurück"}
    german = [renamed(e, **names) | {"art": kinds[e["kind"]]} for e in events[300:]]
    for row in german:  # local time of Berlin, an hour ahead in January
        row["zeit"] = row["zeit"] and row["zeit"] + shop.dt.timedelta(hours=1)
    path = shop.write_shop(tmp_path, events=events[:300])
    shop.write_table(tmp_path / "german.csv.gz", german)
    first = shop.CONFIG["data"]["events"] | {"source": f"{tmp_path}/events.parquet"}
    second = {
        "source": f"{tmp_path}/german.csv.gz",
        "columns": {
            "user_id": "kunde", "item_id": "product", "timestamp": "zeit",
            "event_type": "art", "price": "paid", "session_id": "receipt",
            "store": "laden",
        },
        "event_types": {"gesehen": "view", "gekauft": "purchase"},
        "timezone": "Europe/Berlin",
        "where": "quantity > 0",
    }  # fmt: skip
    folder = prepare(shop.loaded(path, *overrides(events=[first, second])))
    assert_same(folder, reference)
    lines = (folder / "rejects" / "events.jsonl").read_text().splitlines()
    assert {json.loads(line)["file"] for line in lines} == {"0/events.parquet"}


@pytest.mark.parametrize(
    ("dialect", "options"),
    [
        ({"delimiter": ";"}, {"delimiter": ";"}),
        ({"delimiter": "\t", "quote": "'"}, {"delimiter": "\t", "quotechar": "'"}),
        (
            {"delimiter": "|", "escape": "\\"},
            {"delimiter": "|", "escapechar": "\\", "doublequote": False},
        ),
        ({"encoding": "utf-16"}, {}),
        ({"encoding": "cp1252", "delimiter": ";"}, {"delimiter": ";"}),
    ],
)
def test_csv_dialects_and_encodings(tmp_path, reference, dialect, options):
    path = shop.write_shop(tmp_path)
    for table, make in (("users", shop.made_users), ("items", shop.made_items)):
        file = tmp_path / f"{table}.csv.gz"
        encoding = dialect.get("encoding", "utf-8")
        with gzip.open(file, "wt", encoding=encoding, newline="") as text:
            writer = csv.DictWriter(text, make()[0], **options)
            writer.writeheader()
            writer.writerows(make())
    sets = [f"data.{t}.source={tmp_path}/{t}.csv.gz" for t in ("users", "items")]
    sets += [f"data.{t}.csv={json.dumps(dialect)}" for t in ("users", "items")]
    assert_same(prepare(shop.loaded(path, *sets)), reference)


def test_csv_without_a_header_line(tmp_path, reference):
    path = shop.write_shop(tmp_path, "csv")
    file = tmp_path / "events.csv"
    header, *lines = file.read_text().splitlines()
    lines.insert(0, "broken")
    file.write_text("\n".join(lines) + "\n")
    names = json.dumps({"column_names": header.split(",")})
    folder = prepare(shop.loaded(path, f"data.events.csv={names}"))
    assert_same(folder, reference)
    first = (folder / "rejects" / "events.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["row"] == 0


def test_a_wrong_encoding_is_one_sentence(tmp_path):
    path = shop.write_shop(tmp_path)
    (tmp_path / "users.csv").write_text("customer,city,age\n1,Köln,3\n", "cp1252")
    source = f"data.users.source={tmp_path}/users.csv"
    with pytest.raises(DataError, match=r"users.csv: cannot be read as csv: "):
        prepare(shop.loaded(path, source))
    with pytest.raises(ConfigError, match="'klingon' is not an encoding"):
        shop.loaded(path, source, "data.users.csv.encoding=klingon")
    with pytest.raises(ConfigError, match=r"csv.delimiter: .* at most 1 char"):
        shop.loaded(path, source, "data.users.csv.delimiter=';;'")


@pytest.mark.parametrize("kind", ["s", "ms", "us", "ns", "iso", "zoned", "arrow"])
def test_moments_in_every_form(tmp_path, reference, kind):
    units = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    berlin = shop.dt.timezone(shop.dt.timedelta(hours=1))
    events = shop.made_events()
    for event in events:
        moment = event["moment"]
        if moment is None or kind == "arrow":
            continue
        aware = moment.replace(tzinfo=shop.dt.UTC)
        if kind in units:
            event["moment"] = int(aware.timestamp()) * units[kind]
        else:
            zoned = aware.astimezone(berlin) if kind == "zoned" else moment
            event["moment"] = zoned.isoformat()
    assert_same(
        prepare(shop.loaded(shop.write_shop(tmp_path, events=events))), reference
    )


def test_a_column_whose_type_changes_between_files(tmp_path, reference):
    events = shop.made_events()
    later = [
        {**e, "customer": e["customer"] and float(e["customer"]), "paid": None
         if e["paid"] is None else str(e["paid"]), "product": str(e["product"])}
        for e in events[300:]
    ]  # fmt: skip
    path = shop.write_shop(tmp_path, events=events[:300])
    shop.write_table(tmp_path / "events2.parquet", later)
    source = f"data.events.source={tmp_path}/events*.parquet"
    assert_same(prepare(shop.loaded(path, source)), reference)


def test_event_types_that_are_left_out_are_counted(tmp_path):
    path = shop.write_shop(tmp_path)
    types = "data.events.event_types={view: null, return: purchase}"
    counts = verify(prepare(shop.loaded(path, types))).counts["events"]
    rows = [e for e in shop.made_events() if e["quantity"] > 0]
    views = sum(e["kind"] == "view" for e in rows)
    zero = len(shop.made_events()) - len(rows)
    assert counts["filtered"] >= views + zero
    assert "event type without a weight" not in counts["rejected_by_reason"]
    with pytest.raises(ConfigError, match="event type 'buy' has no weight"):
        shop.loaded(path, "data.events.event_types={view: buy}")


@pytest.mark.parametrize("rule", ["cancel", "drop", "keep"])
def test_returns(tmp_path, rule):
    events = [dict(e, quantity=2) for e in shop.made_events() if e["quantity"] > 0]
    sold = shop.expected_items()
    bought = [
        e
        for e in events
        if e["kind"] == "purchase"
        and None not in (e["moment"], e["customer"])
        and str(e["product"]) in sold
    ][:5]
    late = shop.dt.timedelta(minutes=1)
    events += [dict(e, quantity=-2, moment=e["moment"] + late) for e in bought]
    path = shop.write_shop(tmp_path, events=events)
    where = "data.events.where=quantity is not None"
    counts = verify(prepare(shop.loaded(path, where, f"data.returns={rule}"))).counts
    counts = counts["events"]
    fates = ("rows_out", "filtered", "rejected", "duplicates", "returned")
    assert counts["rows_in"] == len(events) == sum(counts[fate] for fate in fates)
    kept = verify(prepare(shop.loaded(path))).counts["events"]["rows_out"]
    if rule == "cancel":
        assert counts["returned"] >= 5
        assert counts["rows_out"] == kept - (counts["returned"] - 5)
    else:
        assert counts["returned"] == 0
        assert counts["rows_out"] == (kept if rule == "drop" else kept + 5)


def test_hashed_ids_leave_no_id_in_the_dataset(tmp_path, monkeypatch):
    key = "an excellent secret of 32 bytes!"
    monkeypatch.setenv("SHOP_KEY", key)
    rows = shop.made_events(), shop.made_users()
    for table in rows:
        for row in table:
            row["customer"] = row["customer"] and f"mail{row['customer']}@example.com"
    path = shop.write_shop(tmp_path, "csv", events=rows[0], users=rows[1])
    broken = tmp_path / "events.csv"
    broken.write_text(broken.read_text() + "mail1@example.com,broken\n")
    config = shop.loaded(path, "data.hash_users=env:SHOP_KEY")
    folder = prepare(config)
    for name, content in content_of(folder, but=()).items():
        assert b"example.com" not in content, name
        assert key.encode() not in content, name
    plain = prepare(shop.loaded(path))
    assert verify(folder).counts == verify(plain).counts
    before = dataset_identity(config)
    monkeypatch.setenv("SHOP_KEY", key[::-1])
    assert dataset_identity(config) != before


def test_a_missing_or_short_key_is_an_error(tmp_path, monkeypatch):
    path = shop.write_shop(tmp_path)
    monkeypatch.delenv("SHOP_KEY", raising=False)
    with pytest.raises(ConfigError, match="'env:SHOP_KEY' holds no key; set the var"):
        prepare(shop.loaded(path, "data.hash_users=env:SHOP_KEY"))
    (tmp_path / "key").write_text("short\n")
    with pytest.raises(ConfigError, match="has 5 bytes; use 16 to 64"):
        prepare(shop.loaded(path, f"data.hash_users=file:{tmp_path}/key"))
    with pytest.raises(ConfigError, match=r"data.hash_users: String should match"):
        shop.loaded(path, "data.hash_users=secret")


class TableStore(LocalFileSystem):
    """A store behind a URL, as Beam's filesystems are: shelf:///path."""

    @classmethod
    def scheme(cls):
        return "shelf"

    def match(self, patterns, limits=None):
        found = super().match([p.removeprefix("shelf://") for p in patterns], limits)
        for result in found:
            for metadata in result.metadata_list:
                metadata.path = f"shelf://{metadata.path}"
        return found

    def open(self, path, *arguments, **options):
        return super().open(path.removeprefix("shelf://"), *arguments, **options)

    def checksum(self, path):
        return super().checksum(path.removeprefix("shelf://"))


@pytest.mark.parametrize("ending", shop.ENDINGS)
def test_tables_behind_a_filesystem_of_beam(tmp_path, reference, ending):
    path = shop.write_shop(tmp_path, ending)
    sets = [
        f"data.{table}.source=shelf://{tmp_path}/{table}*.{ending}"
        for table in ("events", "items", "users")
    ]
    assert_same(prepare(shop.loaded(path, *sets)), reference)


def test_an_unknown_filesystem_is_an_error(tmp_path):
    path = shop.write_shop(tmp_path)
    with pytest.raises(DataError, match=r"'mars://x.csv' cannot be listed: .*; check"):
        prepare(shop.loaded(path, "data.items.source=mars://x.csv"))


def test_a_column_that_one_source_lacks_is_declared_null(tmp_path):
    events = [{k: v for k, v in e.items() if k != "paid"} for e in shop.made_events()]
    path = shop.write_shop(tmp_path)
    shop.write_table(tmp_path / "more.parquet", events[:9])
    first = shop.CONFIG["data"]["events"] | {"source": f"{tmp_path}/events.parquet"}
    second = first | {"source": f"{tmp_path}/more.parquet"}
    with pytest.raises(
        DataError, match=r"lacks column 'paid', which data.events.1.col"
    ):
        prepare(shop.loaded(path, *overrides(events=[first, second])))
    columns = first["columns"] | {"price": None, "store": None}
    second = second | {"columns": columns}
    prepare(shop.loaded(path, *overrides(events=[first, second])))
    first = first | {"columns": first["columns"] | {"item_id": None}}
    with pytest.raises(DataError, match=r"columns.item_id: cannot be null; name the"):
        prepare(shop.loaded(path, *overrides(events=[first, second])))
