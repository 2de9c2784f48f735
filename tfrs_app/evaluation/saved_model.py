"""A published SavedModel asked in this process, as a server would answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfrs_app.contract.op_libraries import load_op_libraries


class SavedModel:
    """Answers a model's signatures; inputs that are left out get their defaults.

    Args:
        folder: of the version, `models/<shop>/<version>`.

    Raises:
        ArtifactError: the graph has ops of a package that is not installed.
    """

    def __init__(self, folder: Path) -> None:
        load_op_libraries(folder)
        self._model = tf.saved_model.load(str(folder))
        saved = saved_model_pb2.SavedModel.FromString(
            (folder / tf.saved_model.SAVED_MODEL_FILENAME_PB).read_bytes()
        )
        self._defaults = {
            name: _tensors(definition.defaults)
            for name, definition in saved.meta_graphs[0].signature_def.items()
        }

    @property
    def signatures(self) -> list[str]:
        """Returns the names of what can be asked."""
        return sorted(self._model.signatures)

    def ask(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Returns the outputs of a signature by name.

        Args:
            signature: its name.
            inputs: values by name, nested lists or arrays; the first dimension is the
                shopper.
        """
        function = self._model.signatures[signature]
        _, wanted = function.structured_input_signature
        given = {
            name: tf.constant(value, wanted[name].dtype)
            for name, value in inputs.items()
        }
        answer = function(**{**self._defaults[signature], **given})
        return {name: value.numpy() for name, value in answer.items()}


def _tensors(defaults: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    return {
        name: tf.constant(tf.make_ndarray(proto)) for name, proto in defaults.items()
    }
