"""Texts to vectors through any TF Hub encoder, frozen or fine-tuned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tfrs_app.contract.artifacts import sha256_of
from tfrs_app.contract.text_config import Mode
from tfrs_app.layers.encoder_variables import trained_variables
from tfrs_app.layers.saved_encoder import (
    SAVED_MODEL,
    check_folder,
    is_remote,
    open_encoder,
)

_CONTENT = (SAVED_MODEL, "variables", "assets")
"""Parts of a SavedModel that its answers depend on."""


def load_encoder(
    handle: str, preprocessor: str | None = None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns the function string `[n]` -> float32 `[n, dim]` of an encoder.

    Args:
        handle: TF Hub or Kaggle URL, or folder of a SavedModel.
        preprocessor: handle of what makes the encoder's inputs of texts
            (`input_word_ids`, `input_mask`, `input_type_ids`); its vectors are then
            `pooled_output`, or the mean of `sequence_output` over the mask.

    Raises:
        DataError: a handle leads to no SavedModel.
        ConfigError: the SavedModel does not map texts to vectors.
    """
    return open_encoder(handle, preprocessor).embed


def encoder_fingerprint(handle: str, preprocessor: str | None = None) -> str:
    """Returns the hex sha256 of what an encoder's vectors depend on.

    Of a local SavedModel: names and bytes of its graph, variables and assets. Of a URL:
    its text, because a published version does not change.

    Raises:
        DataError: a local handle is no SavedModel.
    """
    digest = hashlib.sha256()
    for part in (handle, preprocessor):
        if part is None:
            continue
        if is_remote(part):
            digest.update(f"url {part}\n".encode())
            continue
        check_folder(part)
        for name, content in _content(Path(part)):
            digest.update(f"file {name} {content}\n".encode())
        digest.update(b"end\n")
    return digest.hexdigest()


def _content(folder: Path) -> list[tuple[str, str]]:
    """Returns relative name and sha256 of each file that counts, sorted by name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return [
        (name, sha256_of(names[name]))
        for name in sorted(names)
        if name.split("/")[0] in _CONTENT
    ]


class TextEncoder(tf.keras.layers.Layer):
    """Embeds texts; `trainable_variables` holds what the mode trains.

    Args:
        handle: TF Hub or Kaggle URL, or folder of a SavedModel.
        preprocessor: handle of what makes the encoder's inputs of texts, or None.
        mode: `frozen` trains nothing, `top_layers` the last transformer layers and what
            comes after them, `full` everything.
        top_layers: number of those layers.
        name: of the layer.

    Raises:
        DataError: a handle leads to no SavedModel.
        ConfigError: the encoder does not embed texts, or this mode does not fit it.
    """

    def __init__(
        self,
        handle: str,
        preprocessor: str | None = None,
        mode: Mode = "frozen",
        top_layers: int | None = None,
        name: str = "text_encoder",
    ) -> None:
        super().__init__(name=name)
        encoder = open_encoder(handle, preprocessor)
        self.dim = encoder.dim
        self._embed = encoder.embed
        # Tracked, so that checkpoints and SavedModels hold tables and variables.
        self._model, self._preprocessor = encoder.model, encoder.preprocessor
        trained = trained_variables(encoder, mode, top_layers)
        self._is_trained = bool(trained)
        chosen = {id(variable) for variable in trained}
        every = list(getattr(encoder.model, "variables", ()))
        # Keras' own lists, which `hub.KerasLayer` fills too.
        self._trainable_weights.extend(trained)
        self._non_trainable_weights.extend(v for v in every if id(v) not in chosen)

    def write(self, folder: Path) -> None:
        """Writes the encoder as it is now, a SavedModel that takes what it took."""
        tf.saved_model.save(self._model, str(folder))

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns float32 `[batch, dim]` of texts `[batch]`."""
        vectors = self._embed(texts)
        return vectors if self._is_trained else tf.stop_gradient(vectors)
