"""Gates and drift in the job: what is not kept is not published."""

import datetime as dt

import pytest

from beam.prepare import main, prepare
from tests.integration.beam import shop
from tfrs_app.contract.artifacts import MANIFEST, Layout, read_manifest
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.data.previous import Made
from tfrs_app.data.validation import validate

RARE = "features.3.min_count=3"  # cities: each of them is unknown to some extent
GATES = [
    ("max_nulls={store: 0.5, city: 0.2}", "max_nulls={store: 0.1}", "store"),
    ("max_oov={item_id: 1, store: 0}", "max_oov={city: 0}", "city"),
    ("max_duplicates=0.05", "max_duplicates=0.001", "max_duplicates"),
    ("min_events=100", "min_events=1000000", "min_events"),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return shop.write_shop(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize(("kept", "broken", "named"), GATES)
def test_a_broken_gate_publishes_nothing(tmp_path, path, kept, broken, named, capfd):
    sets = [f"artifacts={tmp_path}", RARE]
    assert main(["-c", str(path), "--set", *sets, f"data.gates.{broken}"]) == 2
    told = capfd.readouterr().err.splitlines()[-1]
    assert told.startswith("error: data.gates.")
    assert named in told
    assert "is beyond the limit" in told
    assert not list(tmp_path.glob(f"tiny/datasets/*/{MANIFEST}"))
    assert (tmp_path / "tiny/reports/data.html").is_file()
    folder = prepare(shop.loaded(path, *sets, f"data.gates.{kept}"))
    assert (folder / MANIFEST).is_file()


def test_an_orphan_breaks_its_gate(tmp_path):
    items = [*shop.made_items(), {**shop.made_items()[1], "product": 999}]
    path = shop.write_shop(tmp_path, items=items)
    with pytest.raises(DataError, match=r"max_orphan_items: 0\.05263 is beyond"):
        prepare(shop.loaded(path, "data.gates.max_orphan_items=0.05"))
    prepare(shop.loaded(path, "data.gates.max_orphan_items=0.06"))


def test_gates_judge_an_unchanged_dataset_and_leave_it(tmp_path, path, capfd):
    root = f"artifacts={tmp_path}"
    folder = prepare(shop.loaded(path, root, "data.gates.min_events=2"))
    before = (folder / MANIFEST).read_bytes()
    assert "min_events" not in (folder / "recipe.json").read_text()
    with pytest.raises(DataError, match="min_events"):
        prepare(shop.loaded(path, root, "data.gates.min_events=1000000"))
    assert (folder / MANIFEST).read_bytes() == before
    assert prepare(shop.loaded(path, root, "data.gates.min_events=1")) == folder
    assert "dataset unchanged" in capfd.readouterr().err


def moved_events():
    """The same events, but whoever bought in the north now buys in the east."""
    rows = shop.made_events()
    for row in rows:
        row["store"] = "east" if row["store"] == "north" else row["store"]
    return rows


@pytest.fixture
def two(tmp_path):
    """A shop's config path and first dataset; its tables have changed since."""
    path = shop.write_shop(tmp_path)
    first = prepare(shop.loaded(path))
    shop.write_table(tmp_path / "events.parquet", moved_events())
    return path, first


def test_drift_against_the_dataset_before_breaks_its_gate(two, capfd):
    path, first = two
    with pytest.raises(DataError, match=r"max_drift.*see what changed in store"):
        prepare(shop.loaded(path, "data.gates.max_drift=0.25"))
    assert f"store (against {first.name})" in capfd.readouterr().err
    found = Layout(root=shop.loaded(path).root).datasets.glob(f"*/{MANIFEST}")
    assert [manifest.parent for manifest in found] == [first]


def validated(config, folder, against=None):
    return validate(config, folder, Made.of(read_manifest(folder)), against)


def test_the_first_dataset_has_none_to_drift_from(two):
    path, first = two
    config = shop.loaded(path, "data.gates.max_drift=0.0001")
    second = prepare(shop.loaded(path))
    assert validated(config, first).previous in (None, second.name)
    found = validated(config, second)
    assert found.previous == first.name
    assert found.drift[0].name == "store"
    by_name = {part.name: part.psi for part in found.drift}
    assert by_name["color"] == by_name["event_type"] == by_name["hour of the week"] == 0
    assert validated(config, second, against=second.name).drift[0].psi == 0
    with pytest.raises(ArtifactError, match=r"nowhere: holds no manifest\.json"):
        validated(config, second, against="nowhere")


def test_what_was_extended_is_what_counts(tmp_path):
    rows = shop.made_events()
    since = dt.datetime(2020, 1, 25)
    old = [e for e in rows if e["moment"] is None or e["moment"] < since]
    path = shop.write_shop(tmp_path, events=old)
    base = prepare(shop.loaded(path))
    # A later dataset of the same features, ending when the extended one ends.
    shop.write_table(tmp_path / "events.parquet", rows)
    other = prepare(shop.loaded(path))
    config = shop.loaded(path, "data.since=2020-01-25", f"data.base={base.name}")
    folder = prepare(config)
    assert validated(config, folder).previous == base.name != other.name


def test_datasets_of_other_features_are_not_compared(tmp_path):
    path = shop.write_shop(tmp_path)
    prepare(shop.loaded(path))
    config = shop.loaded(path, "features.4.buckets=3")
    assert validated(config, prepare(config)).previous is None


def test_an_older_dataset_is_not_compared_with_a_newer_one(tmp_path):
    path = shop.write_shop(tmp_path)
    whole = prepare(shop.loaded(path))
    last = dt.datetime(2020, 1, 28)
    rows = [e for e in shop.made_events() if e["moment"] is None or e["moment"] < last]
    shop.write_table(tmp_path / "events.parquet", rows)
    config = shop.loaded(path)
    earlier = prepare(config)
    assert validated(config, earlier).previous is None
    assert validated(config, whole).previous == earlier.name


def test_a_dataset_of_an_earlier_version_is_made_again(tmp_path):
    path = shop.write_shop(tmp_path)
    folder = prepare(shop.loaded(path))
    manifest = read_manifest(folder)
    files = {n: r for n, r in manifest.files.items() if n != "quality.json"}
    (folder / "quality.json").unlink()
    older = manifest.model_copy(update={"files": files}).model_dump_json()
    (folder / MANIFEST).write_text(older)
    assert prepare(shop.loaded(path)) == folder
    assert (folder / "quality.json").is_file()
