"""Our two indices as SavedModels, called as the embedded server calls them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from index_rivals.peers import K, Search, Settings
from serving.server.models.servable import Servable
from tfrs_app.contract.config import ExportConfig
from tfrs_app.export.index import ExactIndex, Index
from tfrs_app.export.index_choice import choose_index

SIGNATURE = "search"


def exact_settings(items: np.ndarray) -> Settings:
    """Returns the search that multiplies with all items."""
    return [("all items", served(ExactIndex(tf.Variable(items)), items.shape[1]))]


def scann_settings(items: np.ndarray, queries: np.ndarray) -> Settings:
    """Returns the search that `export.index: scann` publishes for these items."""
    choice = choose_index(tf.Variable(items), queries, ExportConfig(index="scann"))
    share = choice.chosen.leaves_searched
    return [(f"{share:.0%} of partitions", served(choice.index, items.shape[1]))]


def served(index: Index, dim: int) -> Search:
    """Writes an index as a SavedModel and returns it as it is served."""
    assert isinstance(index, tf.Module)

    def search(queries: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"rows": index.search(queries, tf.constant(K))[0]}

    signature = [tf.TensorSpec([None, dim], name="queries")]
    index.served = tf.function(search, input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(
            index,
            folder,
            signatures={SIGNATURE: index.served},
            options=tf.saved_model.SaveOptions(namespace_whitelist=["Scann"]),
        )
        servable = Servable("index", 1, Path(folder))
    return lambda queries: servable.run(SIGNATURE, {"queries": queries})["rows"]
