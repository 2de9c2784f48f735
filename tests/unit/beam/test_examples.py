import tfrs_app  # noqa: F401, I001  (before TensorFlow: it asks for Keras 2)
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from beam.examples import examples, integer_entries, number_entries, text_entries
from beam.sinks import write_records

FLOATS = st.floats(width=32, allow_nan=False)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    "bytes": st.binary(max_size=200),
    "float": FLOATS,
    "int64": st.one_of(st.integers(0, 300), INTEGERS),
}


@st.composite
def columns_of_records(draw):
    """Returns the number of records, and name -> (kind, a list a record)."""
    records = draw(st.integers(1, 4))
    kinds = draw(st.dictionaries(NAMES, st.sampled_from(sorted(VALUES)), min_size=1))
    return records, {
        name: (kind, [
            draw(st.lists(VALUES[kind], min_size=1, max_size=5)) for _ in range(records)
        ])
        for name, kind in kinds.items()
    }  # fmt: skip


def entries_of(name, kind, lists):
    splits = np.cumsum([0, *map(len, lists)])
    values = [value for part in lists for value in part]
    if kind == "bytes":
        return text_entries(name, pa.array(values, pa.large_binary()), splits)
    if kind == "float":
        return number_entries(name, np.array(values, dtype=np.float32), splits)
    return integer_entries(name, np.array(values, dtype=np.int64), splits)


def by_protobuf(features):
    example = tf.train.Example()
    for name, (kind, values) in features.items():
        getattr(example.features.feature[name], f"{kind}_list").value.extend(values)
    return example


@settings(max_examples=200, deadline=None)
@given(columns_of_records())
def test_the_bytes_are_those_of_protobuf_in_the_order_of_names(drawn):
    records, columns = drawn
    entries = {name: entries_of(name, *column) for name, column in columns.items()}
    ours = examples(entries).to_pylist()
    for index in range(records):
        row = {name: (kind, lists[index]) for name, (kind, lists) in columns.items()}
        theirs = by_protobuf(row)
        assert tf.train.Example.FromString(ours[index]) == theirs
        alone = [by_protobuf({name: row[name]}).features for name in sorted(row)]
        assert ours[index].endswith(b"".join(f.SerializeToString() for f in alone))
        assert len(ours[index]) == theirs.ByteSize()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 70_000])
def test_lengths_around_those_of_a_varint(size):
    lists = [[b"x" * size], [b"y"]]
    ours = examples({"a": entries_of("a", "bytes", lists)}).to_pylist()
    for record, values in zip(ours, lists, strict=True):
        theirs = by_protobuf({"a": ("bytes", values)})
        assert record == theirs.SerializeToString(deterministic=True)


def test_a_null_entry_is_no_feature():
    a = text_entries("a", pa.array(["1", "2"], pa.large_string()), np.arange(3))
    b = number_entries("b", np.float32([3, 4]), np.arange(3)).take(pa.array([None, 1]))
    ours = examples({"b": b, "a": a}).to_pylist()
    first, second = map(tf.train.Example.FromString, ours)
    assert set(first.features.feature) == {"a"}
    assert list(second.features.feature["b"].float_list.value) == [4]


def test_a_slice_of_texts_is_only_that_slice():
    texts = pa.array(["a", "bc", "def", "g"], pa.large_string()).slice(1, 2)
    (ours,) = examples({"t": text_entries("t", texts, np.array([0, 2]))}).to_pylist()
    parsed = tf.train.Example.FromString(ours)
    assert list(parsed.features.feature["t"].bytes_list.value) == [b"bc", b"def"]


def test_a_missing_text_is_empty_whether_coded_or_not():
    texts = pa.array(["b", None, "", "b", None], pa.large_string())
    for column in (texts, texts.dictionary_encode()):
        ours = examples({"t": text_entries("t", column, np.array([0, 2, 5]))})
        parsed = map(tf.train.Example.FromString, ours.to_pylist())
        lists = [list(p.features.feature["t"].bytes_list.value) for p in parsed]
        assert lists == [[b"b", b""], [b"", b"b", b""]]


def binary(values):
    return pa.array(values, pa.large_binary())


def test_tf_data_reads_the_file(tmp_path):
    records = [b"", b"a", bytes(range(256)) * 1000]
    path = tmp_path / "part.tfrecord"
    assert write_records(path, [binary(records[:1]), binary(records[1:])]) == 3
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records
    assert [file.name for file in tmp_path.iterdir()] == ["part.tfrecord"]


def test_a_failing_writer_leaves_no_file(tmp_path):
    def failing():
        yield binary([b"a"])
        raise KeyError("stop")

    path = tmp_path / "part.tfrecord"
    try:
        write_records(path, failing())
    except KeyError:
        assert not path.exists()
    else:
        raise AssertionError("the error was swallowed")
