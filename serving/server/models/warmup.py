"""Warm-up: recorded requests that a version answers before it counts as available."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.server.errors import ServingError
from serving.server.models.servable import Servable
from serving.tensor_codec import decode
from tfrs_app.contract.artifacts import MODEL_EXTRAS
from tfrs_app.contract.errors import ArtifactError

WARMUP_FILE = "tf_serving_warmup_requests"
_MAX_RECORDS = 1000


def warm_up(servable: Servable, folder: Path) -> int:
    """Runs the warm-up records of a version's folder; returns how many there were.

    The first call of a ScaNN version builds its index (60-100 ms): no client should
    wait for that.

    Raises:
        ArtifactError: a record is not a Predict request, or its run failed.
        tf.errors.OpError: the file cannot be read.
    """
    path = folder / MODEL_EXTRAS / WARMUP_FILE
    if not path.is_file():
        return 0
    count = 0
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        if count == _MAX_RECORDS:
            raise ArtifactError(
                f"{path}: holds more than {_MAX_RECORDS} warm-up records; write fewer"
            )
        try:
            _replay(servable, record)
        except (ServingError, ValueError) as error:
            raise ArtifactError(
                f"{path}: warm-up record {count} failed: {error}; export the model "
                "again or delete the file"
            ) from error
        count += 1
    return count


def _replay(servable: Servable, record: bytes) -> None:
    log = prediction_log_pb2.PredictionLog.FromString(record)
    kind = log.WhichOneof("log_type")
    if kind != "predict_log":
        raise ValueError(f"expected a predict_log, got {kind}")
    request = log.predict_log.request
    servable.run(
        request.model_spec.signature_name
        or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY,
        {name: decode(tensor) for name, tensor in request.inputs.items()},
    )
