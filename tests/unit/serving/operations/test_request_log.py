import json
import os
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.operations.observer import Call, Entrypoint
from serving.server.operations.request_log import log as module
from serving.server.operations.request_log.files import LogFile
from serving.server.operations.request_log.log import RequestLog, Rotation
from serving.server.operations.request_log.queue import BoundedQueue
from serving.server.operations.request_log.record import Record
from serving.tensor_codec import string_array
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.privacy import UserKey

KEY = UserKey(b"0123456789abcdef")
ANNA = KEY.pseudonym("anna,ü")


class Counted:
    def __init__(self):
        self.written, self.lost = [], []

    def logged(self, model):
        self.written.append(model)

    def log_dropped(self, model, reason, records=1):
        self.lost += [(model, reason)] * records


def answered(model="shop", header="anna%2C%C3%BC", **more):
    call = Call("Predict", Entrypoint.GRPC, model, 3, "recommend", **more)
    call.inputs = call.inputs or {"k": np.array(2, np.int32)}
    call.outputs = {
        "item_id": string_array([b"i1", b"\xff"]).reshape(1, 2),
        "score": np.array([[0.5, np.nan]], np.float32),
    }
    call.header = {"x-user-id": header}.get
    return call


def recorded(tmp_path, calls, form=LogType.JSONL, rate=1.0, key=KEY, rotation=None):
    """Returns finished files and who was counted."""
    counted = Counted()
    policy = LoggingPolicy(form, tmp_path / "logs" / "r", rate)
    log = RequestLog({"shop": policy}, key, counted, rotation)
    with log.running():
        for call in calls:
            log(call)
    return sorted(tmp_path.glob("logs/*")), counted


def lines_of(files):
    return [
        json.loads(line) for file in files for line in file.read_text().splitlines()
    ]


def test_a_line_holds_question_and_answer(tmp_path):
    files, counted = recorded(tmp_path, [answered()])
    (line,) = lines_of(files)
    assert 1.7e9 < line.pop("time") < 1e11
    assert line == {
        "model": "shop",
        "version": 3,
        "signature": "recommend",
        "entrypoint": "GRPC",
        "users": [ANNA],
        "sampling_rate": 1.0,
        "inputs": {"k": 2},
        "outputs": {"item_id": [["i1", {"b64": "/w=="}]], "score": [[0.5, None]]},
    }
    assert counted.written == ["shop"]
    assert counted.lost == []
    assert files[0].name.startswith("r-20")
    assert files[0].stat().st_mode & 0o007 == 0


def test_a_tfrecord_is_upstreams_prediction_log(tmp_path):
    (file,), _ = recorded(tmp_path, [answered(), answered()], LogType.TFRECORD)
    records = list(tf.data.TFRecordDataset(str(file)).as_numpy_iterator())
    assert len(records) == 2
    log = prediction_log_pb2.PredictionLog.FromString(records[0])
    assert log.log_metadata.request_origin == ANNA
    assert log.log_metadata.model_spec.version.value == 3
    assert log.log_metadata.sampling_config.sampling_rate == 1.0
    request = log.predict_log.request
    assert (request.model_spec.name, request.model_spec.signature_name) == (
        "shop",
        "recommend",
    )
    assert tf.make_ndarray(request.inputs["k"]) == 2
    items = tf.make_ndarray(log.predict_log.response.outputs["item_id"])
    assert items.tolist() == [[b"i1", b"\xff"]]


def test_ids_are_left_out_without_a_key(tmp_path):
    call = answered(inputs={"user_id": string_array([b"anna"])})
    files, _ = recorded(tmp_path, [call], key=None)
    (line,) = lines_of(files)
    assert (line["users"], line["inputs"]) == ([], {"user_id": [""]})
    assert "anna" not in files[0].read_text()


def test_an_input_that_names_the_user_is_hashed(tmp_path):
    call = answered(header=None, inputs={"user_id": string_array(["anna,ü".encode()])})
    (line,) = lines_of(recorded(tmp_path, [call])[0])
    assert (line["users"], line["inputs"]) == ([], {"user_id": [ANNA]})


def test_several_users_are_split_before_they_are_decoded(tmp_path):
    (line,) = lines_of(recorded(tmp_path, [answered(header="anna%2C%C3%BC,b")])[0])
    assert line["users"] == [ANNA, KEY.pseudonym("b")]


@pytest.mark.parametrize(
    "call",
    [
        answered(code=grpc.StatusCode.UNAVAILABLE),
        answered(model="unnamed"),
        Call("GetModelMetadata", Entrypoint.REST, "shop", 3),
    ],
)
def test_other_calls_leave_no_trace(tmp_path, call):
    files, counted = recorded(tmp_path, [call])
    assert (files, counted.written, counted.lost) == ([], [], [])


def test_the_rate_draws_at_random(tmp_path, monkeypatch):
    drawn = iter([0.1, 0.29, 0.3, 0.9])
    monkeypatch.setattr(module.random, "random", lambda: next(drawn))
    files, _ = recorded(tmp_path, [answered()] * 4, rate=0.3)
    assert len(lines_of(files)) == 2


def test_a_full_queue_drops_and_counts(tmp_path):
    counted = Counted()
    policy = LoggingPolicy(LogType.JSONL, tmp_path / "r", 1.0)
    log = RequestLog({"shop": policy}, KEY, counted, Rotation(max_records=2))
    for _ in range(5):  # nobody writes yet
        log(answered())
    assert counted.lost == [("shop", "queue_full")] * 3
    with log.running():
        pass
    assert counted.written == ["shop"] * 2


def test_a_huge_record_does_not_wait_in_memory(tmp_path):
    call = answered(inputs={"x": np.zeros(1000, np.float32)})
    _, counted = recorded(tmp_path, [call], rotation=Rotation(max_bytes=3999))
    assert counted.lost == [("shop", "queue_full")]


def test_what_was_taken_makes_room():
    policy = LoggingPolicy(LogType.JSONL, Path("r"), 1.0)
    queue = BoundedQueue(max_records=9, max_bytes=100)
    for _ in range(3):
        assert queue.put(policy, record_of(bytes_=80))
        assert not queue.put(policy, record_of(bytes_=80))
        assert len(queue.take(0)) == 1
    queue.close()
    assert not queue.put(policy, record_of(bytes_=80))


def record_of(bytes_):
    inputs = {"x": np.zeros(bytes_, np.uint8)}
    return Record(1.0, "shop", 3, "recommend", "REST", (), 1.0, inputs, {})


def test_a_file_ends_at_its_size(tmp_path):
    rotation = Rotation(max_file_bytes=1)
    counted = Counted()
    policy = LoggingPolicy(LogType.JSONL, tmp_path / "r", 1.0)
    log = RequestLog({"shop": policy}, KEY, counted, rotation)
    with log.running():
        log(answered())
        while not list(tmp_path.glob("r-*.jsonl")):  # shown while the log goes on
            pass
        log(answered())
    files = list(tmp_path.glob("r-*.jsonl"))
    assert [len(lines_of([file])) for file in files] == [1, 1]


def test_a_file_is_hidden_until_it_is_whole(tmp_path):
    file = LogFile(tmp_path / "r", LogType.JSONL)
    file.append(b"{}\n")
    assert [p.name[0] for p in tmp_path.iterdir()] == ["."]
    file.close()
    (shown,) = tmp_path.iterdir()
    assert shown.read_bytes() == b"{}\n"


def test_a_file_without_records_is_removed(tmp_path):
    LogFile(tmp_path / "r", LogType.JSONL).close()
    assert list(tmp_path.iterdir()) == []


def test_half_a_record_is_taken_back(tmp_path, monkeypatch):
    file = LogFile(tmp_path / "r", LogType.JSONL)
    file.append(b"first\n")
    write = os.write

    def half(descriptor, content):
        if len(content) < 4:
            raise OSError(28, "No space left on device")
        return write(descriptor, content[: len(content) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        file.append(b"second\n")
    monkeypatch.undo()
    file.append(b"third\n")
    file.close()
    assert next(tmp_path.iterdir()).read_bytes() == b"first\nthird\n"


def test_a_full_disk_drops_and_serving_goes_on(tmp_path, caplog):
    counted = Counted()
    policy = LoggingPolicy(LogType.JSONL, Path("/proc/nowhere/r"), 1.0)
    log = RequestLog({"shop": policy}, KEY, counted)
    with log.running():
        log(answered())
        log(answered())
    assert counted.lost == [("shop", "write_failed")] * 2
    assert caplog.text.count("the request log drops records") == 1


def test_a_reloaded_config_changes_what_is_recorded(tmp_path):
    log = RequestLog({}, KEY, counted := Counted())
    with log.running():
        log(answered())
        log.configure({"shop": LoggingPolicy(LogType.JSONL, tmp_path / "r", 1.0)})
        log(answered())
    assert counted.written == ["shop"]


def test_impossible_files_are_refused():
    with pytest.raises(ConfigError, match="both must be above 0"):
        Rotation(max_file_bytes=0)
