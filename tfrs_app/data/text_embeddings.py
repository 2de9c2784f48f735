"""Reads the vectors of a catalogue's texts: one row a distinct text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.text_embeddings import (
    ENCODER,
    VECTORS,
    EncoderRecord,
    rows_path,
)


@dataclass(frozen=True)
class TextEmbeddings:
    """Holds the vectors of all text features, equal texts sharing a row.

    Args:
        vectors: float32 `[texts, dim]`, mapped from the disk and read-only.
        rows: feature -> int32 `[items]`, catalogue row to row of `vectors`.
        fingerprint: of the encoder.
    """

    vectors: np.ndarray
    rows: Mapping[str, np.ndarray]
    fingerprint: str

    @property
    def dim(self) -> int:
        """Returns the width of a vector."""
        return int(self.vectors.shape[1])

    @property
    def items(self) -> int:
        """Returns how many items the catalogue has."""
        return len(next(iter(self.rows.values())))

    @classmethod
    def open(cls, folder: Path) -> TextEmbeddings:
        """Verifies and opens a folder of text embeddings.

        Raises:
            ArtifactError: it is absent, unfinished, damaged or of another kind.
        """
        manifest = verify(folder)
        if manifest.kind != "text_embeddings":
            raise ArtifactError(
                f"{folder}: is a {manifest.kind}, not text embeddings; pass a folder "
                "below text_embeddings/"
            )
        encoder = EncoderRecord.model_validate_json((folder / ENCODER).read_bytes())
        rows = {
            feature: np.load(rows_path(folder, feature))
            for feature in manifest.counts["features"]
        }
        return cls(np.load(folder / VECTORS, mmap_mode="r"), rows, encoder.fingerprint)

    def rows_of(self, feature: str) -> np.ndarray:
        """Returns the row of each item's text, int32 `[items]`.

        Raises:
            ArtifactError: the feature was not embedded.
        """
        if feature not in self.rows:
            raise ArtifactError(
                f"text embeddings: hold no feature {feature!r}, only "
                f"{sorted(self.rows)}; embed the dataset that declares it"
            )
        return self.rows[feature]

    def of(self, feature: str) -> np.ndarray:
        """Returns a copy of each item's vector, float32 `[items, dim]`."""
        vectors: np.ndarray = self.vectors[self.rows_of(feature)]
        return vectors
