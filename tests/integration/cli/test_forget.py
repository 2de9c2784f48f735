import json

import pytest
from rich.console import Console

from tests.integration.beam import shop
from tests.program import refusal, tfrs_app
from tfrs_app.cli.forget import holders
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.artifacts import MANIFEST, Layout, read_manifest, write_manifest


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    path = shop.write_shop(tmp_path_factory.mktemp("shop"))
    done = tfrs_app("prepare", "-c", str(path))
    assert done.returncode == 0, done.stderr
    return path


def make(folder, kind, identity, parent, created, forgotten=0, inside=""):
    folder.mkdir(parents=True)
    write_manifest(
        folder,
        kind=kind,
        identity=identity,
        parent=parent,
        spec_fingerprint="f",
        counts={"events": {"forgotten": forgotten}},
        inside=inside,
    )
    path = folder / inside / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"created": created}))


def test_what_is_older_than_the_dataset_s_last_change_may_hold_the_user(tmp_path):
    layout = Layout(root=tmp_path / "tiny")
    make(
        layout.dataset("touched"), "dataset", "touched", None, "2026-01-02", forgotten=3
    )
    make(layout.dataset("whole"), "dataset", "whole", None, "2026-01-02")
    runs = {
        "old": ("touched", "2026-01-01"),
        "new": ("touched", "2026-01-03"),
        "other": ("whole", "2026-01-01"),
        "orphan": ("gone", "2026-01-03"),
    }
    for name, (parent, created) in runs.items():
        make(layout.run(name), "retrieval", name, parent, created)
        folder = layout.model("tiny") / name
        make(folder, "model", f"m-{name}", name, created, inside="assets.extra")
    rankers = {
        "old ranker of new towers": ("new", "2026-01-01"),
        "new ranker": ("new", "2026-01-04"),
        "orphaned ranker": ("gone", "2026-01-04"),
    }
    for name, (parent, created) in rankers.items():
        make(layout.run(name), "ranking", name, parent, created)
    config = shop.loaded(shop.write_shop(tmp_path), f"artifacts={tmp_path}")
    found = holders(Stages(config, Console(quiet=True)))
    assert [(kind, path.name) for kind, path in found] == [
        ("training run", "old"),
        ("training run", "old ranker of new towers"),
        ("training run", "orphan"),
        ("training run", "orphaned ranker"),
        ("model", "old"),
        ("model", "orphan"),
    ]


def test_a_user_is_forgotten_from_the_command_line(prepared):
    done = tfrs_app("forget", "7", "-c", str(prepared))
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    (folder,) = prepared.parent.glob("artifacts/tiny/datasets/*/")
    assert f"removed from dataset {folder}" in done.stdout
    assert "events.parquet" in told
    assert done.stdout.splitlines()[-1].endswith(f"run -c {prepared}")
    assert read_manifest(folder).counts["events"]["forgotten"] > 0
    again = tfrs_app("forget", "7", "-c", str(prepared))
    assert again.returncode == 0
    assert "no dataset holds this user" in again.stdout


def test_a_damaged_list_is_not_taken_for_an_empty_one(prepared):
    forgotten = prepared.parent / "artifacts/tiny/forgotten.json"
    forgotten.write_text("{}")
    told = refusal("prepare", "-c", str(prepared))
    assert "is no list of forgotten users" in told
    forgotten.unlink()


def test_since_adds_to_the_last_dataset(prepared):
    told = refusal("prepare", "-c", str(prepared), "--since", "2020-01-02")
    assert "no dataset of these features ends before 2020-01-02" in told
    done = tfrs_app("prepare", "-c", str(prepared), "--since", "2020-02-01")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("--set data.since=2020-02-01")
