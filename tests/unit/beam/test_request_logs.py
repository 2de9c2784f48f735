import gzip
import json
import struct

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from beam.request_logs import CORRUPT, LogFile, log_files, read_log
from beam.shown_lists import NO_LISTS, NO_RECORD, WRONG_USERS
from tfrs_app.contract.errors import DataError

ITEMS = [["i1", "i2"], ["i3", ""]]


def record(**more):
    return {
        "time": 1_700_000_000.9,
        "model": "shop",
        "version": 3,
        "signature": "recommend",
        "entrypoint": "REST",
        "users": ["anna", "ben"],
        "sampling_rate": 0.5,
        "inputs": {"k": 2},
        "outputs": {"item_id": ITEMS, "score": [[0.1, 0.2], [0.3, None]]},
    } | more


def message(users="anna,ben", items=ITEMS, **outputs):
    log = prediction_log_pb2.PredictionLog()
    metadata = log.log_metadata
    metadata.timestamp_secs = 1_700_000_000
    metadata.request_origin = users
    metadata.sampling_config.sampling_rate = 0.5
    metadata.model_spec.name = "shop"
    metadata.model_spec.version.value = 3
    metadata.model_spec.signature_name = "recommend"
    log.predict_log.request.inputs["k"].CopyFrom(tf.make_tensor_proto(2))
    tensors = {"item_id": items, "score": [[0.1]]} | outputs
    for name, value in tensors.items():
        if value is not None:
            tensor = tf.make_tensor_proto(value)
            log.predict_log.response.outputs[name].CopyFrom(tensor)
    return log.SerializeToString()


def read(path):
    """(rows, rejects as (record, reason), records, records without items)."""
    (file,) = log_files([str(path)])
    parts = list(read_log(file))
    return (
        [tuple(row.values()) for part in parts for row in part.table.to_pylist()],
        [(reject.row, reject.reason) for part in parts for reject in part.rejects],
        sum(part.records for part in parts),
        sum(part.without_items for part in parts),
    )


def lines(path, *records):
    texts = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def expected(name, users=("anna", "ben"), number=0):
    known = ("shop", 3, "recommend", 0.5)
    lists = (f"{name}:{number}/0", f"{name}:{number}/1")
    return [
        (users[0], "i1", 1_700_000_000, 0, lists[0], *known),
        (users[0], "i2", 1_700_000_000, 1, lists[0], *known),
        (users[1], "i3", 1_700_000_000, 0, lists[1], *known),
    ]


@pytest.mark.parametrize(
    ("users", "shown"),
    [
        (["anna", "ben"], ("anna", "ben")),
        (["anna"], ("anna", "anna")),
        ([], (None, None)),
    ],
)
def test_both_forms_give_the_same_rows(tmp_path, users, shown):
    jsonl = lines(tmp_path / "a.jsonl", record(users=users))
    tfrecord = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(tfrecord)) as writer:
        writer.write(message(",".join(users)))
    assert read(jsonl) == (expected("a.jsonl", shown), [], 1, 0)
    assert read(tfrecord) == (expected("a.tfrecord", shown), [], 1, 0)


def test_a_packed_file_is_unpacked(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(record()).encode()))
    assert read(path)[0] == expected("a.jsonl.gz")


def test_answers_without_items_are_counted(tmp_path):
    path = lines(tmp_path / "a.jsonl", record(outputs={"score": [[1]]}), record())
    assert read(path) == (expected("a.jsonl", number=1), [], 2, 1)
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(message(item_id=None))
    assert read(path) == ([], [], 1, 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", NO_RECORD),
        ("[]", NO_RECORD),
        ("null", NO_RECORD),
        ('"outputs"', NO_RECORD),
        (json.dumps(record())[:-9], NO_RECORD),
        ({}, NO_RECORD),
        (record(outputs=[]), NO_RECORD),
        (record(time=None), NO_RECORD),
        (record(time="now"), NO_RECORD),
        (record(time=0), NO_RECORD),
        (record(time=1e300), NO_RECORD),
        (record(version="x"), NO_RECORD),
        (record(version=1e30), NO_RECORD),
        (record(model=7), NO_RECORD),
        (record(users=[1]), NO_RECORD),
        (record(users=None), NO_RECORD),
        (record(users=["a", "b", "c"]), WRONG_USERS),
        (record(outputs={"item_id": ["i1"]}), NO_LISTS),
        (record(outputs={"item_id": "i1"}), NO_LISTS),
        (record(outputs={"item_id": [[1]]}), NO_LISTS),
        (record(outputs={"item_id": [[{"b64": "/w=="}]]}), NO_LISTS),
        (record(outputs={"item_id": [[{"b64": "?"}]]}), NO_LISTS),
        (record(outputs={"item_id": [[{}]]}), NO_LISTS),
    ],
)
def test_a_bad_line_is_a_reject_and_the_next_is_read(tmp_path, bad, reason):
    path = lines(tmp_path / "a.jsonl", bad, record())
    assert read(path) == (expected("a.jsonl", number=1), [(0, reason)], 2, 0)


def test_bytes_that_are_text_after_all_are_an_id(tmp_path):
    shown = {"item_id": [[{"b64": "w7w="}]]}
    path = lines(tmp_path / "a.jsonl", record(outputs=shown, users=[]))
    assert [row[1] for row in read(path)[0]] == ["ü"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"\xff\xff", NO_RECORD),
        (b"", NO_RECORD),
        (message(items=["i1"]), NO_LISTS),
        (message(items=[[b"\xff"]]), NO_LISTS),
        (message(items=[[1.5]]), NO_LISTS),
        (message(users="a,b,c"), WRONG_USERS),
    ],
)
def test_a_bad_message_is_a_reject_and_the_next_is_read(tmp_path, bad, reason):
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(bad)
        writer.write(message())
    assert read(path) == (expected("a.tfrecord", number=1), [(0, reason)], 2, 0)


@pytest.mark.parametrize(
    ("damage", "reasons"),
    [
        (lambda b: b[:-1], [(1, CORRUPT)]),
        (lambda b: b[: len(b) // 2 + 5], [(1, CORRUPT)]),
        (lambda b: b[:-6] + b"!" + b[-5:], [(1, NO_RECORD)]),
        (lambda b: b"\x01" + b[1:], [(0, CORRUPT)]),
        (lambda b: struct.pack("<QI", 2**62, 0) + b, [(0, CORRUPT)]),
    ],
)
def test_damage_costs_what_it_hit(tmp_path, damage, reasons):
    path = tmp_path / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(message())
        writer.write(message())
    path.write_bytes(damage(path.read_bytes()))
    rows, rejects, _, _ = read(path)
    assert rejects == reasons
    assert rows == (expected("a.tfrecord") if reasons[0][0] else [])


def test_files_are_found_once_and_hidden_ones_are_not(tmp_path):
    lines(tmp_path / "r-1.jsonl", record())
    lines(tmp_path / ".r-2.jsonl.partial", record())
    found = log_files([f"{tmp_path}/*", f"{tmp_path}/r-1.jsonl"])
    assert found == (LogFile(0, f"{tmp_path}/r-1.jsonl"),)


def test_other_endings_and_no_file_are_refused(tmp_path):
    lines(tmp_path / "a.log", record())
    with pytest.raises(DataError, match=r"a\.log: the ending tells no form"):
        log_files([f"{tmp_path}/*"])
    with pytest.raises(DataError, match="no finished request log at"):
        log_files([f"{tmp_path}/*.jsonl"])


def test_a_broken_archive_is_named(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: cannot be read"):
        read(tmp_path / "a.jsonl.gz")
