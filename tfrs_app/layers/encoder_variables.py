"""Which variables of a text encoder a mode trains, told by their names."""

from __future__ import annotations

import re
from typing import Any

import tensorflow as tf

from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.text_config import Mode
from tfrs_app.layers.saved_encoder import SavedEncoder

_LAYER = re.compile(r"(?:^|/)layer_(?:\._)?(\d+)(?:/|$)")
"""`transformer/layer_3/...` and `encoder/layer_3/...` of TF Hub, `layer_._3` of
Hugging Face's TensorFlow BERTs."""
_BEFORE = "embedding"
"""In the name of each variable before the first layer."""


def trained_variables(
    encoder: SavedEncoder, mode: Mode, top_layers: int | None
) -> list[tf.Variable]:
    """Returns the variables that a mode trains.

    Raises:
        ConfigError: the encoder has none, or its layers cannot be told apart.
    """
    if mode == "frozen":
        return []
    every = list(getattr(encoder.model, "trainable_variables", None) or ())
    if not every:
        raise ConfigError(
            f"text encoder {encoder.handle!r}: lists no trainable variables, so mode "
            f"{mode} has nothing to train; set mode: frozen, or use precision float32 "
            "or another encoder"
        )
    if mode == "full":
        return every
    return _of_top_layers(every, encoder.handle, top_layers)


def _of_top_layers(every: list[Any], handle: str, top: int | None) -> list[Any]:
    """Returns the last layers' variables and those after them."""
    layer = {id(variable): _layer_of(variable.name) for variable in every}
    numbers = sorted({number for number in layer.values() if number is not None})
    if not numbers:
        raise ConfigError(
            f"text encoder {handle!r}: its layers cannot be told apart, no variable "
            f"is named like transformer/layer_0 (the first is {every[0].name!r}); use "
            "mode frozen or full"
        )
    if top is None or not 1 <= top <= len(numbers):
        raise ConfigError(
            f"text encoder {handle!r}: top_layers is {top} but it has {len(numbers)} "
            f"layers; give 1 to {len(numbers)}"
        )
    first = numbers[-top]
    return [v for v in every if _is_from(first, layer[id(v)], v.name)]


def _is_from(first: int, layer: int | None, name: str) -> bool:
    """Tells whether a variable belongs to a layer from `first` on, or follows them."""
    return _BEFORE not in name.lower() if layer is None else layer >= first


def _layer_of(name: str) -> int | None:
    found = _LAYER.search(name)
    return int(found[1]) if found else None
