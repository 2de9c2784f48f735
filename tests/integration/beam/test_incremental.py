import datetime as dt
import json

import pyarrow.parquet as pq
import pytest

from beam.prepare import dataset_identity, main, prepare
from tests.integration.beam import shop
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ConfigError, DataError

SINCE = dt.datetime(2020, 1, 25)
RECIPES = ("manifest.json", "recipe.json")
BY_SOURCE = ("rejects", "vocabularies", "stats.json")


def content_of(folder, but=RECIPES):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
    }


def old_and_new_events():
    """Events before SINCE (and those without a time), and the later ones."""
    events = shop.made_events()
    old = [e for e in events if e["moment"] is None or e["moment"] < SINCE]
    return old, [e for e in events if e["moment"] is not None and e["moment"] >= SINCE]


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """The dataset of all events, and the YAML of a shop that adds the new ones."""
    whole, parts = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("parts")
    full = prepare(shop.loaded(shop.write_shop(whole)))
    old, new = old_and_new_events()
    path = shop.write_shop(parts, events=old)
    base = prepare(shop.loaded(path))
    shop.write_table(parts / "events.parquet", new)
    return full, base, path


def test_adding_days_gives_the_dataset_of_all_days(shops):
    full, base, path = shops
    folder = prepare(shop.loaded(path, "data.since=2020-01-25"))
    assert verify(folder).parent == base.name
    found, expected = content_of(folder), content_of(full)
    assert set(found) == set(expected)
    for name, content in expected.items():
        if not name.startswith(BY_SOURCE):
            assert found[name] == content, name
    for name in ("split", "time", "events", "users", "items", "numeric"):
        assert stats_of(folder)[name] == stats_of(full)[name]


def stats_of(folder):
    return json.loads((folder / "stats.json").read_text())


def test_vocabularies_grow_at_their_end(shops):
    _, base, path = shops
    # The training span grows too: items new in it come after all old ones.
    split = "data.split={validation_start: 2020-01-25, test_start: 2020-01-28}"
    folder = prepare(shop.loaded(path, "data.since=2020-01-25", split))
    fresh = prepare(shop.loaded(path, "data.since=2020-01-25", split, "data.shards=5"))
    for name in ("item_id", "color", "city", "store"):
        old = (base / "vocabularies" / f"{name}.txt").read_text().split("\n")[:-1]
        new = (folder / "vocabularies" / f"{name}.txt").read_text().split("\n")[:-1]
        assert new[: len(old)] == old
        assert len(set(new)) == len(new)
        assert stats_of(folder)["vocabularies"][name]["size"] == len(new)
    assert (
        content_of(fresh)["item_statistics.parquet"]
        == (content_of(folder)["item_statistics.parquet"])
    )


def test_old_rows_of_the_tables_and_late_rows_of_the_base_are_counted(shops, tmp_path):
    _, _, path = shops
    base = prepare(shop.loaded(path, f"data.events.source={write_all(tmp_path)}"))
    config = shop.loaded(
        path,
        f"data.events.source={tmp_path}/all.parquet",
        "data.since=2020-01-25",
        f"data.base={base.name}",
    )
    counts = verify(prepare(config)).counts["events"]
    rows = shop.made_events()
    assert counts["rows_in"] == len(rows) + verify(base).counts["events"]["rows_out"]
    fates = ("rows_out", "filtered", "rejected", "duplicates", "returned", "forgotten")
    assert counts["rows_in"] == sum(counts[fate] for fate in fates)
    assert counts["rows_out"] == verify(base).counts["events"]["rows_out"]


def test_row_groups_of_old_days_are_not_read(shops, tmp_path):
    _, base, path = shops
    events = sorted(
        (e for e in shop.made_events() if e["moment"]), key=lambda e: e["moment"]
    )
    shop.write_table(tmp_path / "all.parquet", events)  # in groups of 150 rows
    content = bytearray((tmp_path / "all.parquet").read_bytes())
    content[4:400] = bytes(396)  # the first group's pages: whoever reads them fails
    (tmp_path / "all.parquet").write_bytes(content)
    source = f"data.events.source={tmp_path}/all.parquet"
    with pytest.raises(DataError, match="cannot be read as parquet"):
        prepare(shop.loaded(path, source))
    folder = prepare(shop.loaded(path, source, "data.since=2020-01-25"))
    counts, old = verify(folder).counts["events"], verify(base).counts["events"]
    assert counts["rows_in"] == len(events) + old["rows_out"]
    fates = ("rows_out", "filtered", "rejected", "duplicates", "returned")
    assert counts["rows_in"] == sum(counts[fate] for fate in fates)


def write_all(folder):
    shop.write_table(folder / "all.parquet", shop.made_events())
    return folder / "all.parquet"


def test_an_item_that_left_the_catalogue_stays_with_its_old_events(shops, tmp_path):
    _, base, path = shops
    sold = pq.read_table(base / "item_statistics.parquet").to_pylist()
    gone = next(row["item_id"] for row in sold if row["train_events"])
    items = [i for i in shop.made_items() if str(i["product"]) != gone]
    shop.write_table(tmp_path / "items.parquet", items)
    config = shop.loaded(
        path, "data.since=2020-01-25", f"data.items.source={tmp_path}/items.parquet"
    )
    rows = pq.read_table(prepare(config) / "item_statistics.parquet").to_pylist()
    assert [row["train_events"] for row in rows if row["item_id"] == gone] == [
        row["train_events"] for row in sold if row["item_id"] == gone
    ]


def test_a_day_without_events_adds_nothing_and_changes_no_id(shops):
    _, _, path = shops
    # All events lie before the moment: the result ends where its base ends.
    config = shop.loaded(path, "data.since=2020-01-29", "data.shards=2")
    first = prepare(config)
    assert dataset_identity(config) == first.name
    assert prepare(config) == first
    later = shop.loaded(path, "data.since=2020-03-01", "data.shards=2")
    made = prepare(later)
    assert dataset_identity(later) == made.name
    assert prepare(later) == made


def test_users_under_another_key_are_an_error(shops, monkeypatch):
    _, _, path = shops
    monkeypatch.setenv("SHOP_KEY", "0123456789abcdef")
    hashed = "data.hash_users=env:SHOP_KEY"
    with pytest.raises(ConfigError, match="names its users by another key, or by none"):
        prepare(shop.loaded(path, "data.since=2020-01-25", hashed))


def test_without_a_base_there_is_an_error(shops, capfd):
    _, base, path = shops
    message = rf"no dataset of these features ends before 2020-01-02.*{base.name} until"
    with pytest.raises(ConfigError, match=message):
        prepare(shop.loaded(path, "data.since=2020-01-02"))
    other = ("features=[]", f"data.base={base.name}", "data.since=2020-01-25")
    with pytest.raises(ConfigError, match="was made with other features"):
        prepare(shop.loaded(path, *other))
    with pytest.raises(ConfigError, match="base 'x' without since"):
        shop.loaded(path, "data.base=x")
    sets = ["data.since=2020-01-25", "data.base=none"]
    assert main(["-c", str(path), "--set", *sets]) == 2
    assert "holds no manifest.json" in capfd.readouterr().err
