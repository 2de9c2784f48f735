import tfrs_app  # noqa: F401, I001  (before TensorFlow: it asks for Keras 2)
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from beam.examples import example_of, integer_entry, number_entry, text_entry
from beam.sinks import write_records

FLOATS = st.floats(width=32, allow_nan=False)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(
    st.tuples(st.just("bytes"), st.lists(st.binary(max_size=200), max_size=4)),
    st.tuples(st.just("float"), st.lists(FLOATS, max_size=4)),
    st.tuples(st.just("int64"), st.lists(INTEGERS, max_size=4)),
)
ENTRY = {"bytes": text_entry, "float": number_entry, "int64": integer_entry}


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_tensorflow_parses_what_was_put_in(features):
    theirs = tf.train.Example()
    for name, (kind, values) in features.items():
        feature = theirs.features.feature[name]
        getattr(feature, f"{kind}_list").value.extend(values)
        getattr(feature, f"{kind}_list").SetInParent()
    ours = example_of(
        {name: ENTRY[kind](name, values) for name, (kind, values) in features.items()}
    )
    parsed = tf.train.Example.FromString(ours)
    for name, (kind, values) in features.items():
        assert (
            list(getattr(parsed.features.feature[name], f"{kind}_list").value) == values
        )
    assert set(parsed.features.feature) == set(features)
    if features and all(values for _, values in features.values()):
        assert parsed == theirs


def test_an_entry_longer_than_one_length_byte():
    ours = example_of({"a": text_entry("a", [b"x" * 70_000])})
    parsed = tf.train.Example.FromString(ours)
    assert parsed.features.feature["a"].bytes_list.value[0] == b"x" * 70_000


def test_tf_data_reads_the_file(tmp_path):
    records = [b"", b"a", bytes(range(256)) * 1000]
    path = tmp_path / "part.tfrecord"
    assert write_records(path, iter(records)) == 3
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records
    assert [file.name for file in tmp_path.iterdir()] == ["part.tfrecord"]


def test_a_failing_writer_leaves_no_file(tmp_path):
    def failing():
        yield b"a"
        raise KeyError("stop")

    path = tmp_path / "part.tfrecord"
    try:
        write_records(path, failing())
    except KeyError:
        assert not path.exists()
    else:
        raise AssertionError("the error was swallowed")
