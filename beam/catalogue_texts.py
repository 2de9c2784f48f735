"""The distinct texts of a catalogue, and which item has which of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beam.sources import InputFile, Split
from beam.stored import read_stored
from tfrs_app.contract.artifacts import SPEC, Manifest, verify
from tfrs_app.contract.dataset import ITEMS
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.contract.features import FeatureSpec, Kind, Role


@dataclass(frozen=True)
class CatalogueTexts:
    """Holds each text of the catalogue once.

    Args:
        texts: large_string `[texts]`, in the order of their first occurrence.
        rows: feature -> int32 `[items]`, the text of each catalogue row.
    """

    texts: Any
    rows: dict[str, np.ndarray]

    @classmethod
    def of(cls, columns: dict[str, Any]) -> CatalogueTexts:
        """Finds the distinct texts of all features; a missing one is the empty text.

        Args:
            columns: feature -> large_string `[items]`.
        """
        chunks = [c for column in columns.values() for c in column.chunks]
        joined = pa.chunked_array(chunks, pa.large_string()).combine_chunks()
        coded = joined.fill_null("").dictionary_encode()
        row = coded.indices.to_numpy().astype(np.int32)
        parts = np.split(row, len(columns))
        return cls(coded.dictionary, dict(zip(columns, parts, strict=True)))


def read_catalogue_texts(folder: Path) -> tuple[Manifest, CatalogueTexts]:
    """Reads all text features of a dataset.

    Raises:
        ArtifactError: the folder is no valid dataset.
        ConfigError: the dataset has no text feature.
    """
    manifest = verify(folder)
    if manifest.kind != "dataset":
        raise ArtifactError(
            f"{folder}: is a {manifest.kind}, not a dataset; pass a folder below "
            "datasets/"
        )
    spec = FeatureSpec.model_validate_json((folder / SPEC).read_bytes())
    return manifest, CatalogueTexts.of(_columns(folder, text_features(spec)))


def text_features(spec: FeatureSpec) -> tuple[str, ...]:
    """Returns the names of the items' text features.

    Raises:
        ConfigError: there is none.
    """
    names = tuple(f.name for f in spec.of(Role.CANDIDATE, Kind.TEXT))
    if not names:
        raise ConfigError(
            "features: none has role candidate and kind text, so there is nothing to "
            "embed; declare one or drop the section `text`"
        )
    return names


def _columns(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    paths = sorted((folder / ITEMS).glob("*.tfrecord"))
    files = [InputFile(str(path), path.name, "dataset") for path in paths]
    batches = (
        batch.table
        for index, file in enumerate(files)
        for batch in read_stored(Split(index, file, source=0), list(names))
    )
    table = pa.concat_tables(batches)
    return {name: table.column(name) for name in names}
