import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tfrs_app.contract.artifacts import (
    Layout,
    exclusive,
    identity_of,
    read_manifest,
    sha256_of,
    staged,
    verify,
    verify_model,
    write_atomically,
    write_manifest,
)
from tfrs_app.contract.errors import ArtifactError

SHA_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""From FIPS 180-2, appendix B.1."""


def seal(folder, inside="", identity="abc"):
    return write_manifest(
        folder,
        kind="dataset",
        identity=identity,
        parent=None,
        spec_fingerprint="f",
        counts={"rows": 3},
        inside=inside,
    )


@pytest.fixture
def sealed(tmp_path):
    folder = tmp_path / "artifact"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"abc")
    (folder / "deep" / "b.txt").write_bytes(b"")
    seal(folder)
    return folder


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == SHA_OF_ABC


def test_the_manifest_lists_every_file(sealed):
    document = json.loads((sealed / "manifest.json").read_text())
    assert set(document["files"]) == {"a.txt", "deep/b.txt"}
    assert document["files"]["a.txt"] == {"bytes": 3, "sha256": SHA_OF_ABC}
    assert document["counts"] == {"rows": 3}
    assert document["packages"]["tensorflow"].startswith("2.")
    assert verify(sealed).id == "abc"


def test_sealing_twice_lists_the_same_files(sealed):
    assert seal(sealed, identity="other").files == verify(sealed).files


@pytest.mark.parametrize("content", [b"abd", b"abcd", b""])
def test_a_changed_file_is_found(sealed, content):
    (sealed / "a.txt").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"a\.txt: changed since it was written"):
        verify(sealed)


def test_an_absent_file_is_found(sealed):
    (sealed / "deep" / "b.txt").unlink()
    with pytest.raises(ArtifactError, match=r"b\.txt: listed in the manifest but abse"):
        verify(sealed)


def test_reading_a_manifest_checks_no_files(sealed):
    (sealed / "a.txt").unlink()
    assert read_manifest(sealed).id == "abc"


def test_without_a_manifest_there_is_no_artefact(sealed):
    (sealed / "manifest.json").unlink()
    for folder in (sealed, sealed / "nowhere"):
        with pytest.raises(ArtifactError, match=r"holds no manifest\.json.*unfinished"):
            verify(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"kind": "dataset"}', "\0"])
def test_a_damaged_manifest_is_refused(sealed, content):
    (sealed / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"is not a manifest.*run the stage again"):
        verify(sealed)


def test_a_manifest_of_unknown_keys_or_kind_is_refused(sealed):
    path = sealed / "manifest.json"
    document = json.loads(path.read_text())
    for change in ({"kind": "cake"}, {"flavour": 1}):
        path.write_text(json.dumps({**document, **change}))
        with pytest.raises(ArtifactError, match="1 faults"):
            verify(sealed)


def test_the_manifest_of_a_model_lies_among_its_extras(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    seal(tmp_path, inside="assets.extra")
    assert verify_model(tmp_path).id == "abc"
    (tmp_path / "saved_model.pb").write_bytes(b"y")
    with pytest.raises(ArtifactError, match="changed since"):
        verify_model(tmp_path)


def test_layout(tmp_path):
    layout = Layout(root=tmp_path)
    assert layout.dataset("d") == tmp_path / "datasets" / "d"
    assert layout.run("r") == tmp_path / "runs" / "r"
    assert layout.model("shop") == tmp_path / "models" / "shop"
    assert layout.reports == tmp_path / "reports"


def test_an_identity_depends_on_every_ingredient_and_on_no_order():
    # sha256 of '{"a": 1, "b": [2]}', computed with sha256sum
    assert identity_of(b=[2], a=1) == identity_of(a=1, b=[2])
    assert len(identity_of(a=1)) == 12
    different = [identity_of(a=1), identity_of(a=2), identity_of(b=1), identity_of()]
    assert len(set(different)) == 4


def test_writing_atomically_replaces_and_leaves_no_partial(tmp_path):
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_writer_that_fails_leaves_the_old_content(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")
    assert path.read_bytes() == b"old"


def test_staged_renames_on_success(tmp_path):
    folder = tmp_path / "made" / "artifact"
    with staged(folder) as partial:
        (partial / "file").write_text("x")
        assert not folder.exists()
    assert (folder / "file").read_text() == "x"
    assert not partial.exists()


def fail_in(folder):
    """Stages a file and fails half way."""

    def write():
        with staged(folder) as partial:
            (partial / "left_over").write_text("x")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write()


def test_staged_leaves_the_old_artefact_on_an_exception(sealed):
    fail_in(sealed)
    assert verify(sealed).id == "abc"


def test_staged_leaves_no_artefact_on_an_exception(tmp_path):
    folder = tmp_path / "artifact"
    fail_in(folder)
    assert not folder.exists()


def test_staged_begins_empty_after_a_failure(tmp_path):
    folder = tmp_path / "artifact"
    fail_in(folder)
    with staged(folder) as partial:
        assert list(partial.iterdir()) == []
    assert list(folder.iterdir()) == []


def test_staged_is_out_of_reach_of_a_killed_jobs_living_workers(tmp_path):
    folder = tmp_path / "artifact"
    with staged(folder) as killed:
        zombie = killed / "work"
        zombie.mkdir()
        killed.rename(tmp_path / "kept")  # what staged() leaves when it is killed
        killed.mkdir()
    folder.rmdir()
    (tmp_path / "kept").rename(killed)
    with staged(folder) as partial:
        assert not killed.exists()
        zombie.mkdir(parents=True)
        (zombie / "late").write_text("x")
        (partial / "file").write_text("new")
    assert [p.name for p in folder.rglob("*")] == ["file"]


def test_staged_replaces_a_predecessor(sealed):
    with staged(sealed) as partial:
        (partial / "new").write_text("x")
    assert [p.name for p in sealed.iterdir()] == ["new"]


HOLDER = """
import sys, time
from pathlib import Path
from tfrs_app.contract.artifacts import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path / 'artifact'."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "artifact")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_exclusive_refuses_while_another_process_holds_the_lock(holder, tmp_path):
    folder = tmp_path / "artifact"
    for hold in (exclusive, staged):
        with pytest.raises(ArtifactError, match="another process is writing it; wait"):
            hold(folder).__enter__()
    with exclusive(tmp_path / "another"):
        pass


def test_a_killed_holder_frees_the_lock(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with exclusive(tmp_path / "artifact"):
        pass


def test_the_lock_is_free_again_after_an_exception(tmp_path):
    folder = tmp_path / "artifact"
    with pytest.raises(RuntimeError, match="oops"), exclusive(folder):
        raise RuntimeError("oops")
    started = time.monotonic()
    with exclusive(folder):
        assert time.monotonic() - started < 60
