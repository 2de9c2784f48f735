"""Real requests that a server answers before it calls a version available."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from tfrs_app.contract.features import HISTORY_ITEM_ID, ITEM_ID
from tfrs_app.contract.signatures import (
    BASKET,
    EMBED_ITEMS,
    QUERY,
    SIMILAR_ITEMS,
    K,
)
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.raw_queries import raw_queries

WARMUP_FILE = "tf_serving_warmup_requests"
WARMUP_K = 100

_ONE_ITEM_A_ROW = (SIMILAR_ITEMS, EMBED_ITEMS)
_WORDS = "anything"


def write_warmup(
    extras: Path,
    dataset: Dataset,
    *,
    model_name: str,
    requests: int,
    history_length: int,
) -> None:
    """Writes requests of the first users with a history, for every signature.

    TF Serving reads the file before it makes a version available, and a signature's
    first call can take seconds. Each request names every input, none of them a scalar:
    TF Serving before 2.12 knows no defaults of inputs, its batching refuses scalars,
    and a record that fails ends the load.

    Args:
        extras: the `assets.extra` folder of the SavedModel, which is saved.
        dataset: gives the users.
        model_name: that the requests name.
        requests: how many to write for each signature.
        history_length: events a request shows at most.
    """
    if not requests:
        return
    extras.mkdir(parents=True, exist_ok=True)
    signatures = _signatures(extras.parent)
    with tf.io.TFRecordWriter(str(extras / WARMUP_FILE)) as writer:
        for number in range(requests):
            user = number % dataset.events.users
            inputs = raw_query(dataset, user, history_length)
            for name, signature in signatures.items():
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = model_name
                request.model_spec.signature_name = name
                for alias, value in _asked(name, signature, inputs).items():
                    request.inputs[alias].CopyFrom(value)
                writer.write(log.SerializeToString(deterministic=True))


def _signatures(folder: Path) -> dict[str, Any]:
    """Returns the SignatureDef of each signature that a client can ask."""
    data = (folder / tf.saved_model.SAVED_MODEL_FILENAME_PB).read_bytes()
    (graph,) = saved_model_pb2.SavedModel.FromString(data).meta_graphs
    return {
        name: proto
        for name, proto in sorted(graph.signature_def.items())
        if proto.inputs
    }


def _asked(
    name: str, signature: Any, query: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Returns a TensorProto for each input: of a user's query, or the default."""
    history = query[HISTORY_ITEM_ID]
    items = history[:, -1] if name in _ONE_ITEM_A_ROW else history
    values = dict(query) | {
        ITEM_ID: items,
        BASKET: history,
        QUERY: np.array([_WORDS], dtype=object),
        K: np.array([WARMUP_K], np.int32),
    }
    given = {
        alias: tf.make_tensor_proto(value)
        for alias, value in values.items()
        if alias in signature.inputs
    }
    return dict(signature.defaults) | given


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
