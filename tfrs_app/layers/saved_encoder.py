"""Opens SavedModels that embed texts, and tells what is wrong with other ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfrs_app.contract.errors import ConfigError, DataError

SAVED_MODEL = "saved_model.pb"
URL = "://"
SIGNATURES = ("serving_default", "default")
MASK = "input_mask"
POOLED, SEQUENCE = "pooled_output", "sequence_output"
PROBE = ("a text", "")

Embed = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class SavedEncoder:
    """Holds a loaded encoder, alone or behind the preprocessor that makes its ids.

    Args:
        handle: where it came from.
        embed: string `[n]` -> float32 `[n, dim]`.
        model: the loaded SavedModel.
        preprocessor: the loaded SavedModel before it, if there is one.
        dim: width of its vectors.
    """

    handle: str
    embed: Embed
    model: Any
    preprocessor: Any
    dim: int

    @property
    def lengths(self) -> Callable[[tf.Tensor], tf.Tensor] | None:
        """Returns what tells how long texts are to the encoder, if it has that.

        A function `lengths` of the SavedModel, string `[n]` -> int `[n]`. A batch costs
        what its longest text costs, so whoever embeds many batches by it.
        """
        found: Callable[[tf.Tensor], tf.Tensor] | None
        found = getattr(self.model, "lengths", None)
        return found if callable(found) and self.preprocessor is None else None


def is_remote(handle: str) -> bool:
    """Tells whether a handle is a URL rather than a local folder."""
    return URL in handle


def open_encoder(handle: str, preprocessor: str | None) -> SavedEncoder:
    """Loads an encoder and tries it on two texts.

    Raises:
        DataError: a handle leads to no SavedModel.
        ConfigError: the SavedModel does not map texts to vectors.
    """
    model = _load(handle)
    before = None if preprocessor is None else _load(preprocessor)
    network = _callable(model, handle)
    if preprocessor is None:
        embed = _alone(network)
    else:
        embed = _behind(_callable(before, preprocessor), network)
    dim = _probe(embed, handle, preprocessor)
    return SavedEncoder(handle, embed, model, before, dim)


def check_folder(handle: str) -> None:
    """Checks that a local handle is the folder of a SavedModel.

    Raises:
        DataError: it is not.
    """
    folder = Path(handle)
    if not folder.is_dir():
        raise DataError(
            f"text encoder {handle!r}: there is no such folder; name the folder of a "
            "SavedModel or a URL, or make one with `tfrs-app text-encoder build`"
        )
    if not (folder / SAVED_MODEL).is_file():
        raise DataError(
            f"text encoder {handle!r}: is no SavedModel, it lacks {SAVED_MODEL}; name "
            "the folder that directly contains one"
        )


def _load(handle: str) -> Any:
    if not is_remote(handle):
        check_folder(handle)
    try:
        import tensorflow_hub as hub
        import tensorflow_text  # noqa: F401  (registers the tokenizers' ops)
    except ImportError as error:
        raise ConfigError(
            f"text encoder {handle!r}: {error.name} is not installed; run "
            "`pip install 'tfrs-app[text]'`"
        ) from error
    try:
        return hub.load(handle)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        remedy = (
            "check the URL and the network, or download it and name its folder"
            if is_remote(handle)
            else "copy or build it again"
        )
        raise DataError(
            f"text encoder {handle!r}: cannot be loaded ({_first_line(error)}); "
            f"{remedy}"
        ) from error


def _callable(model: Any, handle: str) -> Callable[[Any], Any]:
    """Returns the model's call, or its default signature if that has one input."""
    if callable(model):
        call: Callable[[Any], Any] = model
        return call
    for name in SIGNATURES:
        if name in model.signatures:
            signature = model.signatures[name]
            names = list(signature.structured_input_signature[1])
            if len(names) == 1:
                return lambda values: signature(**{names[0]: values})
    raise ConfigError(
        f"text encoder {handle!r}: is not callable and has no signature "
        f"{SIGNATURES[0]} of one input (signatures: {sorted(model.signatures)}); "
        "use a TF2 SavedModel for texts"
    )


def _alone(network: Callable[[Any], Any]) -> Embed:
    return lambda texts: _vectors(network(texts), None)


def _behind(before: Callable[[Any], Any], network: Callable[[Any], Any]) -> Embed:
    def embed(texts: tf.Tensor) -> tf.Tensor:
        inputs = before(texts)
        return _vectors(network(inputs), inputs[MASK])

    return embed


def _vectors(output: Any, mask: tf.Tensor | None) -> tf.Tensor:
    """Picks `[n, dim]` from what an encoder gives, pooling over `mask` if it must."""
    if isinstance(output, dict):
        if POOLED in output:
            output = output[POOLED]
        elif SEQUENCE in output and mask is not None:
            weight = tf.cast(mask, tf.float32)[..., tf.newaxis]  # [n, length, 1]
            vectors = tf.cast(output[SEQUENCE], tf.float32)
            total = tf.reduce_sum(vectors * weight, axis=1)  # [n, dim]
            output = total / tf.maximum(tf.reduce_sum(weight, axis=1), 1.0)
        elif len(output) == 1:
            (output,) = output.values()
        else:
            raise ValueError(f"its outputs are {sorted(output)}")
    return tf.cast(output, tf.float32)


def _probe(embed: Embed, handle: str, preprocessor: str | None) -> int:
    """Returns the width of the vectors of two texts.

    Raises:
        ConfigError: there are none.
    """
    advice = (
        "it must map string [n] to float [n, dim]; if it takes word ids, name its "
        "preprocessor too"
        if preprocessor is None
        else f"it must take what the preprocessor {preprocessor!r} makes of texts, and "
        f"give {POOLED} or {SEQUENCE}; use the pair that belongs together"
    )
    try:
        vectors = embed(tf.constant(PROBE))
    except (TypeError, ValueError, KeyError, tf.errors.OpError) as error:
        raise ConfigError(
            f"text encoder {handle!r}: does not embed texts ({_first_line(error)}); "
            f"{advice}"
        ) from error
    shape = tuple(vectors.shape)
    if len(shape) != 2 or shape[0] != len(PROBE):
        raise ConfigError(
            f"text encoder {handle!r}: gives shape {shape} for {len(PROBE)} texts; "
            f"{advice}"
        )
    return int(shape[1])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
