import json
import re

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from tfrs_app.contract.artifacts import verify_model
from tfrs_app.contract.config import ExportConfig
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.export.publish import build_recommender, publish, versions

EXACT = ExportConfig(index="exact", warmup_requests=4)


@pytest.fixture(scope="module")
def recommender(toy_model, toy_encoded):
    return build_recommender(toy_model, toy_encoded, EXACT)


def published(recommender, encoded, base, config=EXACT):
    module, choice = recommender
    return publish(module, choice, encoded, base, run_id="run", config=config)


def test_versions_are_the_numbers_below_the_base(tmp_path):
    assert versions(tmp_path / "none") == []
    for name in ("2", "10", "9", ".11.partial", "latest"):
        (tmp_path / name).mkdir()
    assert versions(tmp_path) == [2, 9, 10]


def test_versions_grow_and_are_sealed(recommender, toy_encoded, tmp_path):
    base = tmp_path / "smoke"
    (base / "7").mkdir(parents=True)
    first, manifest = published(recommender, toy_encoded, base)
    second, _ = published(recommender, toy_encoded, base)
    assert (first.name, second.name) == ("8", "9")
    assert versions(base) == [7, 8, 9]
    assert verify_model(first) == manifest
    assert manifest.parent == "run"
    assert manifest.counts == {"items": 1200, "index": "exact"}
    (index,) = json.loads((first / "assets.extra" / "index.json").read_bytes())
    assert index["index"] == "exact"
    variables = next((first / "variables").glob("*.data*"))
    variables.write_bytes(b"x" + variables.read_bytes()[1:])
    with pytest.raises(ArtifactError, match="changed since it was written"):
        verify_model(first)
    assert verify_model(second)


def test_a_failed_publish_leaves_nothing_to_see(recommender, toy_encoded, tmp_path):
    base = tmp_path / "smoke"
    config = EXACT.model_copy(update={"warmup_requests": "many"})
    with pytest.raises(TypeError):
        published(recommender, toy_encoded, base, config)
    assert versions(base) == []
    assert all(path.name.startswith(".") for path in base.iterdir())
    folder, _ = published(recommender, toy_encoded, base)
    assert folder.name == "1"
    assert verify_model(folder)


def test_the_warm_up_file_holds_real_requests(served):
    path = served.folder / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    requests = [log.predict_log.request for log in logs]
    names = {
        "retrieve", "embed_query", "similar_items", "embed_items", "serving_default",
    }  # fmt: skip
    assert len(requests) == 5 * len(names)
    assert {request.model_spec.name for request in requests} == {"smoke"}
    assert {request.model_spec.signature_name for request in requests} == names
    for request in requests:
        signature = served.loaded.signatures[request.model_spec.signature_name]
        inputs = {
            name: tf.constant(tf.make_ndarray(value))
            for name, value in request.inputs.items()
        }
        # TF Serving 2.11 knows no defaults; its batching wants equal first dimensions.
        assert inputs.keys() == signature.structured_input_signature[1].keys()
        assert {tuple(value.shape[:1]) for value in inputs.values()} == {(1,)}
        for value in signature(**inputs).values():
            assert value.shape[0] == 1


def test_no_warm_up_no_file(recommender, toy_encoded, tmp_path):
    config = EXACT.model_copy(update={"warmup_requests": 0})
    folder, _ = published(recommender, toy_encoded, tmp_path / "smoke", config)
    assert [
        p.name for p in (folder / "assets.extra").iterdir() if "warmup" in p.name
    ] == []
    assert verify_model(folder)


STAGES = {
    "_look_up",
    "embedded",
    "_nearest",
    "forbidden",
    "_barred",
    "run_through",
    "_given",
    "_judged",
}


def test_each_stage_is_saved_once_whatever_the_signatures(ranked):
    saved = saved_model_pb2.SavedModel.FromString(
        (ranked.folder / "saved_model.pb").read_bytes()
    )
    library = saved.meta_graphs[0].graph_def.library.function
    names = [re.sub(r"^__inference_|_\d+$", "", f.signature.name) for f in library]
    assert {stage: names.count(stage) for stage in STAGES} == dict.fromkeys(STAGES, 1)
