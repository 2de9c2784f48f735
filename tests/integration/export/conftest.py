from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfrs_app.contract.config import ExportConfig
from tfrs_app.export.publish import build_recommender, publish
from tfrs_app.training.runs import load_ranking, load_retrieval

MOMENT = 1_709_900_000
"""2024-03-08, near the end of the toy shop's events."""


@dataclass(frozen=True)
class Served:
    """One published model of the toy shop, in memory and loaded again."""

    index: str
    recommender: Any
    loaded: Any
    folder: Path
    items: np.ndarray
    """Embeddings of the catalogue, [items, dim]."""
    ids: list[bytes]

    def ask(self, signature="retrieve", loaded=True, **inputs):
        tensors = {name: tensor(name, value) for name, value in inputs.items()}
        if loaded:
            tensors = {**defaults_of(self.folder, signature), **tensors}
            answer = self.loaded.signatures[signature](**tensors)
        else:
            answer = self.recommender.signatures()[signature](**tensors)
        return {name: value.numpy() for name, value in answer.items()}

    def lists(self, **inputs):
        """The listed ids, without the empty ones that fill a row up."""
        rows = self.ask(**inputs)["item_id"].tolist()
        return [[item for item in row if item] for row in rows]


def defaults_of(folder, signature):
    """What TF Serving fills in for inputs that a client omits."""
    saved = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    )
    (graph,) = saved.meta_graphs
    defaults = graph.signature_def[signature].defaults
    return {n: tf.constant(tf.make_ndarray(v)) for n, v in defaults.items()}


DTYPES = {
    "k": tf.int32,
    "timestamp": tf.int64,
    "history_timestamp": tf.int64,
    "min_price": tf.float32,
    "max_price": tf.float32,
    "diversity": tf.float32,
    "personal": tf.float32,
}


def tensor(name, value):
    dtype = DTYPES.get(name, tf.string)
    if dtype is tf.string:
        array = np.array(value, object)
        return (
            tf.constant(array, tf.string)
            if array.size
            else tf.zeros(array.shape, dtype)
        )
    return tf.constant(np.array(value), dtype)


@pytest.fixture(scope="session")
def toy_encoded(toy_run):
    return toy_run.stages.encoded


@pytest.fixture(scope="session")
def toy_model(toy_run, toy_encoded):
    return load_retrieval(toy_run.stages.run_folder, toy_encoded)


@pytest.fixture(scope="session")
def toy_ranker(toy_run, toy_encoded):
    stages = toy_run.stages
    return load_ranking(stages.ranking_folder, toy_encoded, stages.run_folder.name)


def published(index, model, encoded, tmp_path_factory, ranker=None) -> Served:
    config = ExportConfig(index=index, warmup_requests=5)
    recommender, choice = build_recommender(model, encoded, config, ranker)
    base = tmp_path_factory.mktemp(index) / "smoke"
    folder, _ = publish(recommender, choice, encoded, base, run_id="r", config=config)
    return Served(
        index,
        recommender,
        tf.saved_model.load(str(folder)),
        folder,
        recommender.exact.embeddings.numpy(),
        encoded.dataset.catalogue["item_id"].tolist(),
    )


@pytest.fixture(scope="session", params=["exact", "scann"])
def served(request, toy_model, toy_encoded, tmp_path_factory) -> Served:
    """The towers alone."""
    return published(request.param, toy_model, toy_encoded, tmp_path_factory)


@pytest.fixture(scope="session", params=["exact", "scann"])
def ranked(request, toy_model, toy_ranker, toy_encoded, tmp_path_factory) -> Served:
    """The whole funnel."""
    return published(
        request.param, toy_model, toy_encoded, tmp_path_factory, toy_ranker
    )
