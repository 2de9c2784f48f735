"""The layout of a text embeddings folder, shared by its writer and its readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tfrs_app.contract.artifacts import identity_of

VECTORS = "vectors.npy"
"""float32 `[texts, dim]`, one row a distinct text."""
ENCODER = "encoder.json"
_ROWS = "rows"


class EncoderRecord(BaseModel):
    """Records which encoder made the vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    handle: str
    preprocessor: str | None
    fingerprint: str


def rows_path(folder: Path, feature: str) -> Path:
    """Returns the file of a feature's rows of the vectors, int32 `[items]`."""
    return folder / _ROWS / f"{feature}.npy"


def text_embeddings_identity(
    dataset_id: str, encoder_fingerprint: str, features: Sequence[str]
) -> str:
    """Returns the id of the vectors that an encoder gives a dataset's text features."""
    return identity_of(
        dataset=dataset_id, encoder=encoder_fingerprint, features=sorted(features)
    )
