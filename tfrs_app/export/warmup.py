"""Real requests that a server answers before it calls a version available."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from tfrs_app.contract.features import HISTORY_ITEM_ID, ITEM_ID
from tfrs_app.contract.signatures import EMBED_QUERY, SIMILAR_ITEMS, K
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.raw_queries import raw_queries

WARMUP_FILE = "tf_serving_warmup_requests"
WARMUP_K = 100


def write_warmup(
    extras: Path,
    dataset: Dataset,
    *,
    model_name: str,
    requests: int,
    history_length: int,
    signatures: Sequence[str],
) -> None:
    """Writes requests of the first users with a history, one signature in turn.

    TF Serving reads the file before it makes a version available. Each request names
    every input, none of them a scalar: TF Serving before 2.12 knows no defaults of
    inputs, its batching refuses scalars, and a record that fails ends the load.

    Args:
        extras: the `assets.extra` folder of the SavedModel, which is saved.
        dataset: gives the users.
        model_name: that the requests name.
        requests: how many to write.
        history_length: events a request shows at most.
        signatures: to ask.
    """
    if not requests:
        return
    extras.mkdir(parents=True, exist_ok=True)
    defaults = _defaults(extras.parent)
    with tf.io.TFRecordWriter(str(extras / WARMUP_FILE)) as writer:
        for number in range(requests):
            signature = signatures[number % len(signatures)]
            user = number % dataset.events.users
            inputs = raw_query(dataset, user, history_length)
            if signature == SIMILAR_ITEMS:
                inputs = {ITEM_ID: inputs[HISTORY_ITEM_ID][:, -1]}
            if signature != EMBED_QUERY:
                inputs[K] = np.array([WARMUP_K], np.int32)
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            for name, default in defaults[signature].items():
                request.inputs[name].CopyFrom(default)
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString(deterministic=True))


def _defaults(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Returns the TensorProto of each input that may be left out, by signature."""
    data = (folder / tf.saved_model.SAVED_MODEL_FILENAME_PB).read_bytes()
    (graph,) = saved_model_pb2.SavedModel.FromString(data).meta_graphs
    return {name: proto.defaults for name, proto in graph.signature_def.items()}


def raw_query(
    dataset: Dataset, user: int, history_length: int
) -> dict[str, np.ndarray]:
    """Returns what a client would send for a user of the dataset, batch 1.

    Args:
        dataset: as opened from disk.
        user: row of the event log.
        history_length: events to show at most, the last ones.
    """
    end = dataset.events.row_splits[user + 1 : user + 2]
    moment_s = dataset.events.timestamp[end - 1] + 1
    return raw_queries(dataset, np.array([user]), end, moment_s, history_length)
