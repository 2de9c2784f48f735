import hashlib

import numpy as np
import pyarrow as pa
import pytest

from beam.vector_cache import VectorCache, keys_of, write_vectors
from tfrs_app.contract.errors import ArtifactError


def keys(*texts):
    return keys_of(pa.array(texts, pa.large_string()))


def vectors(*firsts, dim=2):
    return np.array([[first] * dim for first in firsts], dtype=np.float32)


def opened(folder):
    told = []
    return VectorCache.open(folder, told.append), told


def found(cache, *texts):
    places = cache.places(keys(*texts))
    answer = np.zeros((len(texts), cache.dim), dtype=np.float32)
    cache.fill(answer, places)
    return places.tolist(), answer[:, 0].tolist()


def test_keys_are_blake2b_of_the_utf8():
    expected = [
        hashlib.blake2b("ä".encode(), digest_size=16).digest(),
        hashlib.blake2b(b"", digest_size=16).digest(),
    ]
    assert keys("ä", "").to_pylist() == expected


def test_vectors_are_found_in_several_files(tmp_path):
    write_vectors(tmp_path, keys("a", "b"), vectors(1, 2))
    write_vectors(tmp_path, keys("c"), vectors(3))
    cache, told = opened(tmp_path)
    assert not told
    assert cache.dim == 2
    places, first = found(cache, "c", "x", "a", "", "b", "a")
    assert [place < 0 for place in places] == [False, True, False, True, False, False]
    assert first == [3, 0, 1, 0, 2, 1]


def test_an_empty_cache_knows_nothing(tmp_path):
    cache, told = opened(tmp_path)
    assert cache.places(keys("a", "")).tolist() == [-1, -1]
    assert not told


def test_nothing_to_look_up(tmp_path):
    write_vectors(tmp_path, keys("a"), vectors(1))
    assert opened(tmp_path)[0].places(keys()).tolist() == []


def test_a_repeated_task_writes_the_same_file(tmp_path):
    paths = {write_vectors(tmp_path, keys("a"), vectors(1)) for _ in range(2)}
    assert list(tmp_path.iterdir()) == list(paths)


def test_a_file_grown_meanwhile_is_added(tmp_path):
    write_vectors(tmp_path, keys("a"), vectors(1))
    cache, _ = opened(tmp_path)
    path = write_vectors(tmp_path, keys("b"), vectors(2))
    assert found(cache.with_files(tmp_path, [path]), "b", "a")[1] == [2, 1]
    path.write_bytes(b"")
    with pytest.raises(RuntimeError, match="just written is damaged"):
        cache.with_files(tmp_path, [path])


def test_unfinished_files_are_removed_in_silence(tmp_path):
    left = tmp_path / ".x.arrow.0123.partial"
    left.write_bytes(b"half")
    assert opened(tmp_path) == (VectorCache(), [])
    assert not left.exists()


def as_named(folder, table):
    """A file whose name is right whatever it holds."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content = sink.getvalue().to_pybytes()
    path = folder / f"{hashlib.sha256(content).hexdigest()}.arrow"
    path.write_bytes(content)
    return path


def column(kind, values=((1.0, 2.0),)):
    return pa.array([list(v) for v in values], kind)


@pytest.mark.parametrize(
    "columns",
    [
        {"key": keys("a"), "vector": column(pa.list_(pa.float64(), 2))},
        {"key": keys("a"), "vector": column(pa.list_(pa.float32()))},
        {"key": pa.array(["a"]), "vector": column(pa.list_(pa.float32(), 2))},
        {"key": keys("a")},
    ],
    ids=["float64", "any width", "text keys", "no vectors"],
)
def test_a_whole_file_of_another_form_is_told_and_deleted(tmp_path, columns):
    path = as_named(tmp_path, pa.table(columns))
    cache, (line,) = opened(tmp_path)
    assert line.startswith(f"{path}: is damaged and was deleted")
    assert not path.exists()
    assert not cache.tables


def test_a_whole_file_that_is_no_table_is_told_and_deleted(tmp_path):
    path = tmp_path / f"{hashlib.sha256(b'no table').hexdigest()}.arrow"
    path.write_bytes(b"no table")
    _, (line,) = opened(tmp_path)
    assert "is damaged and was deleted" in line


def test_a_file_under_another_name_is_damaged(tmp_path):
    path = write_vectors(tmp_path, keys("a"), vectors(1))
    path.rename(tmp_path / "0123.arrow")
    cache, told = opened(tmp_path)
    assert len(told) == 1
    assert not cache.tables


def test_vectors_of_two_widths_are_refused(tmp_path):
    write_vectors(tmp_path, keys("a"), vectors(1))
    write_vectors(tmp_path, keys("b"), vectors(1, dim=3))
    with pytest.raises(ArtifactError, match=r"widths \[2, 3\] .* delete the folder"):
        opened(tmp_path)
