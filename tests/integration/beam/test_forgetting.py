import io
import json

import pytest
from rich.console import Console

from beam.forgetting import forget
from beam.prepare import prepare
from tests.integration.beam import shop
from tests.integration.beam.test_incremental import content_of, stats_of
from tfrs_app.contract.artifacts import read_manifest, verify, write_manifest
from tfrs_app.contract.privacy import Forgotten

QUIET = Console(file=io.StringIO())
USER = "7"


@pytest.fixture
def made(tmp_path):
    path = shop.write_shop(tmp_path)
    return path, prepare(shop.loaded(path))


def without(rows):
    return [row for row in rows if str(row["customer"]) != USER]


def test_a_dataset_without_a_user_is_what_their_absence_makes(made, tmp_path):
    path, folder = made
    assert forget(shop.loaded(path), USER, QUIET) == [folder]
    (tmp_path / "other").mkdir()
    other = shop.write_shop(
        tmp_path / "other",
        events=without(shop.made_events()),
        users=without(shop.made_users()),
    )
    reference = prepare(shop.loaded(other))
    found, expected = content_of(folder), content_of(reference)
    assert set(found) == set(expected)
    for name, content in expected.items():
        if not name.startswith(("rejects", "vocabularies", "stats.json")):
            assert found[name] == content, name
    for name in ("split", "time", "events", "users", "items", "numeric"):
        assert stats_of(folder)[name] == stats_of(reference)[name]
    counts = verify(folder).counts["events"]
    fates = ("rows_out", "filtered", "rejected", "duplicates", "returned", "forgotten")
    assert counts["rows_in"] == sum(counts[fate] for fate in fates)
    assert counts["forgotten"] > 0


def test_only_the_shape_of_what_only_they_had_is_left(tmp_path):
    users = [*shop.made_users(), {"customer": 99, "city": "Rom", "age": 1}]
    events = [*shop.made_events()]
    first = next(e for e in events if e["customer"] == 7 and e["quantity"])
    events.append({**first, "customer": 99, "store": "tiny"})
    features = [
        {"name": "city", "role": "query", "kind": "categorical"},
        {"name": "store", "role": "context", "kind": "categorical"},
    ]
    path = shop.write_shop(tmp_path, users=users, events=events)
    folder = prepare(shop.loaded(path, f"features={json.dumps(features)}"))
    before = vocabulary_of(folder, "city")
    forget(shop.loaded(path, f"features={json.dumps(features)}"), "99", QUIET)
    after = vocabulary_of(folder, "city")
    assert [t for t in before if t != "Rom"] == [t for t in after if t in before]
    assert after[before.index("Rom")] == f"[REMOVED {before.index('Rom')}]"
    for name, content in content_of(folder).items():
        assert b"Rom" not in content, name


def vocabulary_of(folder, name):
    return (folder / "vocabularies" / f"{name}.txt").read_text().split("\n")[:-1]


@pytest.mark.parametrize(("user", "stay"), [(USER, False), ("nobody", True)])
def test_pages_that_may_show_a_user_go_with_them(made, user, stay):
    path, folder = made
    reports = folder.parents[1] / "reports"
    pages = [reports / "data.html", reports / "report.html"]
    for page in pages:
        page.write_text("what user 7 bought")
    forget(shop.loaded(path), user, QUIET)
    assert [page.exists() for page in pages] == [stay, stay]


def test_forgetting_nobody_changes_no_byte(made):
    path, folder = made
    before = content_of(folder, but=("manifest.json",))
    assert forget(shop.loaded(path), "nobody", QUIET) == []
    assert content_of(folder, but=("manifest.json",)) == before


def test_a_dataset_read_as_a_source_gives_itself(made):
    path, folder = made
    before = content_of(folder, but=("manifest.json",))
    rejects = folder / "rejects" / "events.jsonl"
    # A user who stands only among the rejected rows: all else is made anew.
    line = {**json.loads(rejects.read_text().splitlines()[0]), "row": 1}
    line["content"] = {**line["content"], "customer": "ghost"}
    rewritten(folder, rejects, line)
    assert forget(shop.loaded(path), "ghost", QUIET) == [folder]
    after = content_of(folder, but=("manifest.json",))
    for name, content in before.items():
        if name != "rejects/events.jsonl":
            assert after[name] == content, name
    last = json.loads(rejects.read_text().splitlines()[-1])
    assert last == {**line, "content": None}


def rewritten(folder, rejects, line):
    """Adds a line to a dataset's rejects and its checksum to the manifest."""
    rejects.write_text(rejects.read_text() + json.dumps(line) + "\n")
    old = read_manifest(folder)
    write_manifest(
        folder,
        kind="dataset",
        identity=old.id,
        parent=None,
        spec_fingerprint=old.spec_fingerprint,
        counts=old.counts,
    )


def test_later_datasets_leave_the_user_out(made):
    path, folder = made
    config = shop.loaded(path)
    forget(config, USER, QUIET)
    again = prepare(config)
    assert again != folder
    counts = verify(again).counts["events"]
    assert counts["rows_out"] == verify(folder).counts["events"]["rows_out"]
    for name, content in content_of(folder).items():
        if not name.startswith(("rejects", "vocabularies", "stats.json")):
            assert content_of(again)[name] == content, name


def test_the_list_does_not_name_them(made):
    path, _ = made
    config = shop.loaded(path)
    forget(config, "somebody@example.com", QUIET)
    assert "somebody" not in (config.root / "forgotten.json").read_text()
    assert "somebody@example.com" in Forgotten.load(config.root)
    assert "else" not in Forgotten.load(config.root)


def test_hashed_users_can_be_forgotten_by_their_own_id(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "0123456789abcdef")
    path = shop.write_shop(tmp_path)
    config = shop.loaded(path, "data.hash_users=env:SHOP_KEY")
    folder = prepare(config)
    assert forget(config, USER, QUIET) == [folder]
    assert verify(folder).counts["events"]["forgotten"] > 0
