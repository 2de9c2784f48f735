"""Warm-up records of every kind, and MultiInference over inputs of their own."""

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import inference_pb2, prediction_log_pb2

from serving.server.errors import ServingError
from serving.server.examples.calls import infer
from serving.server.models.servable import Servable
from serving.server.models.warmup import WARMUP_FILE, warm_up
from tests.conformance.models import save_half_plus_two
from tfrs_app.contract.errors import ArtifactError

EXAMPLE = 'features { feature { key: "x" value { float_list { value: 2 } } } }'
INPUT = f"input {{ example_list {{ examples {{ {EXAMPLE} }} }} }}"
TASK = 'model_spec {{ name: "{}" signature_name: "{}" }} method_name: "{}"'
REGRESS, CLASSIFY = "tensorflow/serving/regress", "tensorflow/serving/classify"


def spec(signature):
    return f'model_spec {{ name: "m" signature_name: "{signature}" }}'


RECORDS = {
    "predict": 'predict_log { request { model_spec { name: "m" } inputs { key: "x" '
    "value { dtype: DT_FLOAT float_val: 1 } } } }",
    "classify": f"classify_log {{ request {{ {spec('classify_x_to_y')} {INPUT} }} }}",
    "regress": f"regress_log {{ request {{ {spec('regress_x_to_y')} {INPUT} }} }}",
    "multi": "multi_inference_log { request { tasks { "
    + TASK.format("another name", "regress_x_to_y", REGRESS)
    + f" }} {INPUT} }} }}",
    "empty": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "1"
    save_half_plus_two(folder)
    (folder / "assets.extra").mkdir()
    return folder


@pytest.fixture(scope="module")
def servable(folder):
    servable = Servable("m", 1, folder)
    yield servable
    servable.close()


def write(folder, *records):
    path = str(folder / "assets.extra" / WARMUP_FILE)
    with tf.io.TFRecordWriter(path) as writer:
        for record in records:
            writer.write(record)


def record(text):
    log = text_format.Parse(text, prediction_log_pb2.PredictionLog())
    return log.SerializeToString()


@pytest.fixture
def runs(servable, monkeypatch):
    """Signatures and tensors that were run."""
    seen = []
    run, fetch = servable.run, servable.fetch

    def counted_run(name, *given):
        seen.append(name)
        return run(name, *given)

    def counted_fetch(feeds, nodes):
        seen.append(len(nodes))
        return fetch(feeds, nodes)

    monkeypatch.setattr(servable, "run", counted_run)
    monkeypatch.setattr(servable, "fetch", counted_fetch)
    return seen


def test_every_kind_is_replayed(servable, folder, runs):
    write(folder, *map(record, RECORDS.values()))
    assert warm_up(servable, folder) == len(RECORDS)
    assert runs == ["serving_default", "classify_x_to_y", "regress_x_to_y", 1]


def test_a_record_is_run_as_often_as_told(servable, folder, runs):
    write(folder, record(RECORDS["predict"]))
    warm_up(servable, folder, iterations=3)
    assert runs == ["serving_default"] * 3


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (record("session_run_log {}"), "session_run_log"),
        (b"\xff\xff", "warm-up record 1 failed"),
        (record("predict_log { request { model_spec { signature_name: 'z' } } }"), "z"),
        (record(f"classify_log {{ request {{ {spec('z')} }} }}"), "No signature"),
        (record(f"regress_log {{ request {{ {spec('regress_x_to_y')} }} }}"), "empty"),
        (
            record(RECORDS["predict"].replace("inputs", "output_filter: 'z' inputs")),
            "alias not found",
        ),
        (
            record(RECORDS["predict"].replace("float_val", "tensor_content: '1' #")
                   .replace("#", "float_val")),
            "both tensor_content",
        ),
    ],
)  # fmt: skip
def test_a_bad_record_fails_the_load(servable, folder, content, match):
    write(folder, record(RECORDS["predict"]), content)
    with pytest.raises(ArtifactError, match=match):
        warm_up(servable, folder)


def test_too_many_records_fail_the_load(servable, folder):
    write(folder, *[b""] * 1000)
    assert warm_up(servable, folder) == 1000
    write(folder, *[b""] * 1001)
    with pytest.raises(ArtifactError, match="more than 1000"):
        warm_up(servable, folder)


def test_a_method_name_is_checked_when_asked(servable, folder):
    write(folder, record(RECORDS["classify"].replace("classify_x", "regress_x")))
    with pytest.raises(ArtifactError, match="Was: tensorflow/serving/regress"):
        warm_up(servable, folder, check_method=True)


def request(*tasks):
    text = " ".join(f"tasks {{ {TASK.format('m', *task)} }}" for task in tasks)
    return text_format.Parse(f"{text} {INPUT}", inference_pb2.MultiInferenceRequest())


def test_tasks_share_one_run(servable, runs):
    response = inference_pb2.MultiInferenceResponse()
    tasks = [("regress_x_to_y", REGRESS), ("classify_both", CLASSIFY)]
    infer(servable, request(*tasks), response, False)
    assert runs == [2]  # y, which both tasks want, and the labels
    assert response.results[0].regression_result.regressions[0].value == 3
    (entry,) = response.results[1].classification_result.classifications[0].classes
    assert (entry.label, entry.score) == ("few", 3)


class Apart(tf.Module):
    """Two signatures over examples, as TensorFlow 2 saves them: an input each."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def length(self, inputs):
        return {"outputs": tf.cast(tf.strings.length(inputs), tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def label(self, inputs):
        return {"classes": tf.strings.substr(inputs, 0, 1)[:, None]}


def test_inputs_of_their_own_are_fed_alike(tmp_path):
    module = Apart()
    signatures = {"length": module.length, "label": module.label}
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=signatures)
    servable = Servable("m", 1, tmp_path / "1")
    response = inference_pb2.MultiInferenceResponse()
    asked = request(("length", REGRESS), ("label", CLASSIFY))
    infer(servable, asked, response, False)
    size = len(asked.input.example_list.examples[0].SerializeToString())
    assert response.results[0].regression_result.regressions[0].value == size
    (entry,) = response.results[1].classification_result.classifications[0].classes
    assert entry.label == "\n"
    servable.close()


def test_a_label_that_is_no_utf8_gets_replacement_characters(servable, monkeypatch):
    def run(_name, *_given):
        return {"classes": tf.constant([[b"a\xff"]]).numpy()}

    monkeypatch.setattr(servable, "run", run)
    from serving.server.examples.calls import classify

    asked = text_format.Parse(
        f"{spec('classify_labels')} {INPUT}",
        prediction_log_pb2.ClassifyLog().request,
    )
    response = type(prediction_log_pb2.ClassifyLog().response)()
    classify(servable, asked, response, False)
    assert response.result.classifications[0].classes[0].label == "a\ufffd"


def test_a_graph_error_is_the_request_s(servable):
    asked = request(("regress_x_to_y", REGRESS))
    asked.input.example_list.examples[0].Clear()
    with pytest.raises(ServingError, match="x") as caught:
        infer(servable, asked, inference_pb2.MultiInferenceResponse(), False)
    assert caught.value.code.name == "INVALID_ARGUMENT"
