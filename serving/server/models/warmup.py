"""Warm-up: recorded requests that a version answers before it counts as available."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    prediction_log_pb2,
    regression_pb2,
)

from serving.server.errors import ServingError
from serving.server.examples.calls import asked_signature, classify, infer, regress
from serving.server.models.servable import Servable
from serving.tensor_codec import decode
from tfrs_app.contract.artifacts import MODEL_EXTRAS
from tfrs_app.contract.errors import ArtifactError

WARMUP_FILE = "tf_serving_warmup_requests"
_MAX_RECORDS = 1000


def warm_up(
    servable: Servable, folder: Path, iterations: int = 1, check_method: bool = False
) -> int:
    """Runs the warm-up records of a version's folder; returns how many there were.

    The first call of a ScaNN version builds its index (60-100 ms): no client should
    wait for that.

    Args:
        servable: the version.
        folder: where its SavedModel lies.
        iterations: how often each record is run.
        check_method: hold signatures' method names against the calls'.

    Raises:
        ArtifactError: a record is none, is a SessionRun's, or its run failed.
        tf.errors.OpError: the file cannot be read.
    """
    path = folder / MODEL_EXTRAS / WARMUP_FILE
    if not path.is_file():
        return 0
    # All at once: an iterator that takes seconds between records, as calls that trace a
    # graph do, may end only after tf.data's optimizer has slept for as long again.
    records = list(
        tf.data.TFRecordDataset(str(path)).take(_MAX_RECORDS + 1).as_numpy_iterator()
    )
    if len(records) > _MAX_RECORDS:
        raise ArtifactError(
            f"{path}: holds more than {_MAX_RECORDS} warm-up records; write fewer"
        )
    for number, record in enumerate(records):
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
            for _ in range(iterations):
                _replay(servable, log, check_method)
        except (ServingError, DecodeError, ValueError) as error:
            raise ArtifactError(
                f"{path}: warm-up record {number} failed: {error}; export the model "
                "again or delete the file"
            ) from error
    return len(records)


def _replay(servable: Servable, log: Any, check_method: bool) -> None:
    """Runs a record; one without a request is passed over, as by TF Serving."""
    match log.WhichOneof("log_type"):
        case "predict_log":
            _predict(servable, log.predict_log.request, check_method)
        case "classify_log":
            response = classification_pb2.ClassificationResponse()
            classify(servable, log.classify_log.request, response, check_method)
        case "regress_log":
            response = regression_pb2.RegressionResponse()
            regress(servable, log.regress_log.request, response, check_method)
        case "multi_inference_log":
            response = inference_pb2.MultiInferenceResponse()
            infer(servable, log.multi_inference_log.request, response, check_method)
        case "session_run_log":
            raise ValueError("Unsupported log_type for warmup: session_run_log")


def _predict(servable: Servable, request: Any, check_method: bool) -> None:
    name = asked_signature(request.model_spec)
    if name in servable.signatures:  # else the run says so
        servable.signatures[name].check_method(check_method)
        servable.signatures[name].check_outputs(request.output_filter)
    inputs = {alias: decode(tensor) for alias, tensor in request.inputs.items()}
    servable.run(name, inputs)
