"""The `text:` section of a shop's YAML: which encoder reads the items' texts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfrs_app.contract.section import Count, Positive, Section

BUILT_IN_ENCODER = "minilm-l6"
"""Name of the encoder that `tfrs-app text-encoder build` makes."""

Mode = Literal["frozen", "top_layers", "full"]
Precision = Literal["float32", "bfloat16", "int8"]

FEWEST_TOKENS = 3
MOST_TOKENS = 512
"""Positions that a BERT has been trained for."""


class TextConfig(Section):
    """Chooses the text encoder, how much of it is trained, and how fast it learns."""

    encoder: Annotated[str, Field(min_length=1)] = BUILT_IN_ENCODER
    """Built-in name, TF Hub or Kaggle URL, or folder of a SavedModel."""
    preprocessor: str | None = None
    """Of an encoder that takes word ids: what makes them of texts."""
    mode: Mode = "frozen"
    top_layers: Count | None = None
    """Last transformer layers that are trained, in mode top_layers."""
    learning_rate: Positive = 2e-5
    """Of the encoder's variables; the towers have their own."""
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    """Steps in which the encoder's learning rate rises from 0."""
    texts_per_step: Count = 128
    """Texts of a batch's candidates that are embedded anew, to learn from."""
    max_tokens: Annotated[int, Field(ge=FEWEST_TOKENS, le=MOST_TOKENS)] = 64
    """Word pieces that the built-in encoder reads of a text, both ends counted."""
    precision: Precision = "float32"
    """Of the built-in encoder when it is frozen."""

    @model_validator(mode="after")
    def _top_layers_fit(self) -> TextConfig:
        if self.mode == "top_layers" and self.top_layers is None:
            raise ValueError(
                "mode is top_layers but top_layers is absent; say how many of the last "
                "layers are trained, e.g. top_layers: 2"
            )
        if self.mode != "top_layers" and self.top_layers is not None:
            raise ValueError(
                f"top_layers is {self.top_layers} but mode is {self.mode}; set mode: "
                "top_layers or drop the key"
            )
        return self

    @model_validator(mode="after")
    def _precision_fits(self) -> TextConfig:
        if self.precision == "float32":
            return self
        if self.encoder != BUILT_IN_ENCODER:
            raise ValueError(
                f"precision {self.precision} is known of the encoder "
                f"{BUILT_IN_ENCODER} only, not of {self.encoder!r}; drop the key"
            )
        if self.mode != "frozen":
            raise ValueError(
                f"precision {self.precision} cannot be trained; set mode: frozen or "
                "precision: float32"
            )
        return self

    @model_validator(mode="after")
    def _built_in_is_whole(self) -> TextConfig:
        if self.encoder == BUILT_IN_ENCODER and self.preprocessor is not None:
            raise ValueError(
                f"{BUILT_IN_ENCODER} reads texts by itself; drop the preprocessor "
                f"{self.preprocessor!r}"
            )
        return self
