import pytest

from beam.sinks import atomic_file
from beam.written import check_shared, publish
from tfrs_app.contract.errors import DataError


def test_publishing_takes_the_named_files_and_nothing_beside_them(tmp_path):
    work, dataset = tmp_path / "work", tmp_path / "dataset" / "sequences"
    work.mkdir()
    for name in ("a", "b", ".a.0123.partial", "stray"):
        (work / name).write_text(name)
    publish(work, dataset, ["a", "b"])
    assert {path.name: path.read_text() for path in dataset.iterdir()} == {
        "a": "a",
        "b": "b",
    }


def test_publishing_misses_a_file(tmp_path):
    with pytest.raises(RuntimeError, match="a: no worker wrote this file"):
        publish(tmp_path, tmp_path / "dataset", ["a"])


def test_a_worker_without_the_shared_folder_says_so(tmp_path):
    check_shared(tmp_path)
    with pytest.raises(DataError, match="a worker does not see this folder"):
        check_shared(tmp_path / "elsewhere")


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "shard"
    with atomic_file(path) as first:
        first.write(b"same ")
        with atomic_file(path) as second:  # the repetition of a task that still runs
            second.write(b"same bytes")
        assert path.read_bytes() == b"same bytes"
        first.write(b"bytes")
    assert path.read_bytes() == b"same bytes"
    assert list(tmp_path.iterdir()) == [path]
