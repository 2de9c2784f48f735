"""From a served list to a row of the table of impressions, over both protocols."""

import time

import grpc
import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from beam.impression_tables import read_impressions
from beam.impressions import convert
from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.operations.options import OperationsOptions
from serving.server.server import running
from tests import program
from tests.integration.serving.models import free
from tests.integration.serving.operations.conftest import USER_KEY, secret
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.privacy import UserKey
from tfrs_app.contract.ranking_config import ImpressionsConfig, RankingConfig

ANNA, BEN = (UserKey(USER_KEY.encode()).pseudonym(name) for name in ("anna", "ben"))


class Shop(tf.Module):
    """Recommends the catalogue's first k items, named after the last one bought."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string, name="history_item_id"),
            tf.TensorSpec([], tf.int32, name="k"),
        ]
    )
    def recommend(self, history_item_id, k):
        names = tf.strings.as_string(tf.range(k))
        return {"item_id": history_item_id[:, -1:] + names[tf.newaxis]}


@pytest.fixture(scope="module", params=LogType)
def logged(request, tmp_path_factory):
    """The prefix of the logs of a server that was asked three times and stopped."""
    folder = tmp_path_factory.mktemp("logged")
    module = Shop()
    tf.saved_model.save(
        module, str(folder / "shop" / "5"), signatures={"recommend": module.recommend}
    )
    operations = OperationsOptions(
        request_log=LoggingPolicy(request.param, folder / "logs" / "r", 1.0),
        request_log_user_key_file=secret(folder / "key", USER_KEY),
    )
    with running(free({"shop": folder / "shop"}, operations=operations)) as addresses:
        ask_rest(addresses.rest, [["a"], ["b"]], "anna,ben")
        ask_grpc(addresses.grpc, [["c"]], "anna")
        ask_rest(addresses.rest, [["d"]], None)
    return folder / "logs"


def ask_rest(address, histories, users):
    answer = httpx.post(
        f"{address}/v1/models/shop:predict",
        json={
            "signature_name": "recommend",
            "inputs": {"history_item_id": histories, "k": 2},
        },
        headers={"x-user-id": users} if users else {},
    )
    assert answer.status_code == 200, answer.text


def ask_grpc(address, histories, users):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "shop"
    request.model_spec.signature_name = "recommend"
    request.inputs["history_item_id"].CopyFrom(tf.make_tensor_proto(histories))
    request.inputs["k"].CopyFrom(tf.make_tensor_proto(2))
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        stub.Predict(request, metadata=(("x-user-id", users),))


def test_what_was_shown_is_read_back(logged, tmp_path):
    balance = convert([f"{logged}/*"], tmp_path / "table", 0.0)
    assert (balance.records, balance.rejected, balance.impressions) == (3, {}, 8)
    table = pq.read_table(tmp_path / "table").to_pylist()
    shown = [(row["user_id"], row["item_id"], row["position"]) for row in table]
    assert shown == [
        *((ANNA, "a0", 0), (ANNA, "a1", 1)),
        *((BEN, "b0", 0), (BEN, "b1", 1)),
        *((ANNA, "c0", 0), (ANNA, "c1", 1)),
        *((None, "d0", 0), (None, "d1", 1)),
    ]
    assert len({row["list_id"] for row in table}) == 4
    assert {(r["model"], r["model_version"], r["signature"]) for r in table} == {
        ("shop", 5, "recommend")
    }
    assert all(0 <= time.time() - row["timestamp"] < 600 for row in table)
    assert (tmp_path / "table" / "_rejects.jsonl").read_bytes() == b""


def test_a_ranker_reads_what_a_server_logged(logged, tmp_path):
    convert([f"{logged}/*"], tmp_path / "table", 0.0)
    source = str(tmp_path / "table" / "*.parquet")
    config = RankingConfig(impressions=ImpressionsConfig(source=source))
    key, now = UserKey(USER_KEY.encode()), int(time.time())
    users = np.array([ANNA.encode(), BEN.encode()], object)
    items = np.array([b"a1", b"a0", b"b1", b"c0"], object)
    span = (now - 600, now + 86_401)
    lists, told = read_impressions(config, users, items, key, span)
    shown = zip(lists.user.tolist(), lists.row.tolist(), strict=True)
    assert sorted(shown) == [(0, [1, 0]), (0, [3, -1]), (1, [2, -1])]
    assert (told.rows, told.used) == (8, 4)


def test_bad_records_are_kept_apart_or_end_the_job(logged, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    sources = [f"{logged}/*", str(bad)]
    with pytest.raises(DataError, match=r"1 of 4 records rejected, more than .* 0\.2"):
        convert(sources, tmp_path / "table", 0.2)
    assert not (tmp_path / "table").exists()
    balance = convert(sources, tmp_path / "table", 0.25)
    assert balance.impressions == 8
    rejects = (tmp_path / "table" / "_rejects.jsonl").read_text()
    assert '"reason":"not a record of a request log"' in rejects
    with pytest.raises(DataError, match="is there already"):
        convert(sources, tmp_path / "table", 0.25)


def test_the_command_tells_what_it_made(tmp_path):
    log = tmp_path / "r.jsonl"
    log.write_text(
        '{"time": 1700000000, "model": "shop", "version": 3, "signature": "recommend", '
        '"users": [], "sampling_rate": 1, "outputs": {"item_id": [["a", "b"], ["c"]]}}'
    )
    done = program.process("impressions", str(log), "--output", str(tmp_path / "table"))
    assert done.returncode == 0, done.stderr
    assert "1 records: 3 impressions, 0 records without items, 0 rejected" in (
        " ".join((done.stdout + done.stderr).split())
    )
