"""The encoder as the workers of the one job that needs TensorFlow get it.

Only the functions here import TensorFlow, when they run: no other job's workers, and
nobody who merely imports this package, ever wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from beam.files import is_remote
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.text_embeddings import EncoderRecord

Texts = Sequence[bytes]
_SHOWN = 60


@dataclass(frozen=True)
class TextEncoder:
    """Names an encoder; travels to the workers, which load it once a process."""

    record: EncoderRecord

    @classmethod
    def named(cls, handle: str, preprocessor: str | None = None) -> TextEncoder:
        """Returns the encoder of a handle with the fingerprint that it has now."""
        from tfrs_app.layers.text import encoder_fingerprint

        handle = _anywhere(handle)
        before = None if preprocessor is None else _anywhere(preprocessor)
        return cls(
            EncoderRecord(
                handle=handle,
                preprocessor=before,
                fingerprint=encoder_fingerprint(handle, before),
            )
        )

    def vectors(self, texts: Texts) -> np.ndarray:
        """Returns the vectors of texts, float32 `[texts, dim]`.

        Raises:
            DataError: the encoder is not the driver's, or its vectors can't be used.
        """
        vectors = _loaded(self.record).embed(texts)
        check_vectors(vectors, texts, self.record.handle)
        return vectors

    def longest_first(self, texts: Texts) -> np.ndarray:
        """Returns the places of texts by their length, int64 `[texts]`.

        The length is what the encoder says that it is, or else that of the bytes.

        Raises:
            DataError: the encoder is not the driver's.
        """
        lengths = _loaded(self.record).lengths(texts)
        return np.argsort(-lengths, kind="stable")


def _anywhere(handle: str) -> str:
    """Returns a handle that means the same in another process's working folder."""
    return handle if is_remote(handle) else str(Path(handle).absolute())


def check_vectors(vectors: np.ndarray, texts: Texts, handle: str) -> None:
    """Checks that an encoder gave each text a vector of finite float32 numbers.

    Raises:
        DataError: it did not.
    """
    if vectors.dtype != np.float32 or vectors.ndim != 2 or not vectors.shape[-1]:
        raise DataError(
            f"text.encoder: {handle} gives {vectors.dtype} {list(vectors.shape)}; name "
            "an encoder that maps strings [n] to float32 [n, dim]"
        )
    if len(vectors) != len(texts):
        raise DataError(
            f"text.encoder: {handle} gives {len(vectors)} vectors for {len(texts)} "
            "texts; name an encoder that gives each text one"
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        text = texts[bad[0]].decode(errors="replace")[:_SHOWN]
        raise DataError(
            f"text.encoder: {handle} gives {len(bad)} of {len(texts)} texts a vector "
            f"with NaN or infinity, the first for {text!r}; name another encoder"
        )


def check_one_width(parts: Sequence[np.ndarray], handle: str) -> None:
    """Checks that an encoder gave vectors of one width, whatever the texts.

    Raises:
        DataError: it did not.
    """
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise DataError(
            f"text.encoder: {handle} gives vectors of widths {widths}; name an encoder "
            "that gives every text one of the same width"
        )


@dataclass(frozen=True)
class _Loaded:
    """Holds the functions of a loaded encoder, of texts to arrays."""

    embed: Callable[[Texts], np.ndarray]
    lengths: Callable[[Texts], np.ndarray]


@cache
def _loaded(record: EncoderRecord) -> _Loaded:
    """Loads an encoder, the first time that this process asks for it."""
    import tensorflow as tf

    from tfrs_app.layers.saved_encoder import open_encoder
    from tfrs_app.layers.text import encoder_fingerprint

    found = encoder_fingerprint(record.handle, record.preprocessor)
    if found != record.fingerprint:
        raise DataError(
            f"text.encoder: a worker finds another encoder under {record.handle} than "
            "the driver did; put the same one on all machines and run again"
        )
    encoder = open_encoder(record.handle, record.preprocessor)

    def of_texts(function: Any) -> Callable[[Texts], np.ndarray]:
        return lambda texts: function(tf.constant(list(texts), tf.string)).numpy()

    lengths = of_texts(encoder.lengths) if encoder.lengths else _bytes
    return _Loaded(of_texts(encoder.embed), lengths)


def _bytes(texts: Texts) -> np.ndarray:
    return np.array([len(text) for text in texts])
