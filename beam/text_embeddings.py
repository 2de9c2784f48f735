"""Embeds a catalogue's texts: each distinct text once, and only if it is new.

What a text's vector is depends on the text and the encoder alone, so vectors are kept
in a cache of the shop beyond the dataset that they were made for.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from beam.catalogue_texts import CatalogueTexts, read_catalogue_texts
from beam.embedding import TEXTS_A_STEP, Embedding, run_embedding, write_batches
from beam.prepare import check_space
from beam.runners import pipeline_options
from beam.text_encoder import TextEncoder, check_one_width
from beam.vector_cache import VectorCache, keys_of, write_vectors
from tfrs_app.contract.artifacts import (
    Layout,
    Manifest,
    exclusive,
    is_valid,
    staged,
    write_atomically,
    write_manifest,
)
from tfrs_app.contract.text_embeddings import (
    ENCODER,
    VECTORS,
    rows_path,
    text_embeddings_identity,
)
from tfrs_app.progress import watched

_WORK = ".work"


def embed_texts(
    dataset: Path,
    encoder: TextEncoder,
    layout: Layout,
    runner_options: Sequence[str] = (),
) -> Path:
    """Embeds the text features of a dataset, unless that is done.

    Args:
        dataset: folder of the dataset.
        encoder: of the texts.
        layout: of the shop's artefacts.
        runner_options: Beam's flags; without `--runner` the job runs in this process.

    Returns:
        The folder of the text embeddings.

    Raises:
        UserError: the dataset is absent or has no texts, the encoder's vectors can't be
            used, or another process embeds with the same encoder.
        RuntimeError: the runner skipped work.
    """
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    options = pipeline_options(runner_options)
    started = time.monotonic()
    manifest, catalogue = read_catalogue_texts(dataset)
    fingerprint = encoder.record.fingerprint
    identity = text_embeddings_identity(manifest.id, fingerprint, list(catalogue.rows))
    folder = layout.text_embeddings(identity)
    if is_valid(folder):
        console.print(f"text embeddings unchanged: {folder}")
        return folder
    cache = layout.text_cache(fingerprint).absolute()
    with exclusive(cache), staged(folder) as staging:
        cache.mkdir(exist_ok=True)
        job = _Job(catalogue, encoder, cache, staging.absolute(), options, console)
        try:
            counts = job.run()
        except Exception as error:
            check_space(staging, error)
            raise
        _seal(staging, manifest, identity, counts)
    console.print(
        f"text embeddings {folder}: {counts['texts']:,} texts, "
        f"{counts['from_cache']:,} from the cache, {counts['embedded']:,} embedded, "
        f"{time.monotonic() - started:.1f} s"
    )
    return folder


def vectors_of(
    texts: Sequence[bytes], encoder: TextEncoder, layout: Layout
) -> np.ndarray:
    """Returns the vectors of some texts, in this process and through the cache.

    Args:
        texts: few enough for that, distinct.
        encoder: of the texts.
        layout: of the shop's artefacts.

    Returns:
        float32 `[texts, dim]`.

    Raises:
        DataError: the encoder's vectors can't be used.
        ArtifactError: another process embeds with the same encoder.
    """
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    keys = keys_of(pa.array(texts, pa.large_binary()))
    cache = layout.text_cache(encoder.record.fingerprint).absolute()
    with exclusive(cache):
        cache.mkdir(exist_ok=True)
        known = VectorCache.open(cache, console.print)
        new = np.flatnonzero(known.places(keys) < 0)
        if len(new):
            console.print(f"texts   {len(texts):,} new ones, {len(new):,} to embed")
            steps = np.array_split(new, -(-len(new) // TEXTS_A_STEP))
            made = [encoder.vectors([texts[n] for n in step]) for step in steps]
            check_one_width(made, encoder.record.handle)
            chosen = keys.take(pa.array(new))
            file = write_vectors(cache, chosen, np.concatenate(made))
            known = known.with_files(cache, [file])
        vectors = np.empty((len(texts), known.dim), np.float32)
        known.fill(vectors, known.places(keys))
    return vectors


@dataclass(frozen=True)
class _Job:
    catalogue: CatalogueTexts
    encoder: TextEncoder
    cache: Path
    output: Path
    options: PipelineOptions
    console: Console

    def run(self) -> dict[str, Any]:
        texts = self.catalogue.texts
        keys = keys_of(texts)
        known = VectorCache.open(self.cache, self.console.print)
        places = known.places(keys)
        new = np.flatnonzero(places < 0)
        self.console.print(
            f"texts   {self._items:,} items -> {len(texts):,} distinct texts, "
            f"{len(new):,} to embed"
        )
        if len(new):
            known = known.with_files(self.cache, self._embedded(keys, new))
            places = known.places(keys)
        self._write(known, places)
        return {
            "items": self._items,
            "texts": len(texts),
            "from_cache": len(texts) - len(new),
            "embedded": len(new),
            "dim": known.dim,
            "features": sorted(self.catalogue.rows),
        }

    @property
    def _items(self) -> int:
        return len(next(iter(self.catalogue.rows.values())))

    def _embedded(self, keys: Any, new: np.ndarray) -> list[Path]:
        work = self.output / _WORK
        work.mkdir()
        chosen = pa.array(new)
        texts = self.catalogue.texts.take(chosen)
        batches = write_batches(work, keys.take(chosen), texts)
        stage = Embedding(self.encoder, work, self.cache)
        with watched("embedding", "texts", len(new), stage.texts_done):
            files = run_embedding(stage, batches, len(new), self.options)
        shutil.rmtree(work)
        return files

    def _write(self, known: VectorCache, places: np.ndarray) -> None:
        if (places < 0).any():
            raise RuntimeError(
                f"text embedding: {int((places < 0).sum())} texts have no vector "
                "although every worker reported its own"
            )
        shape = (len(places), known.dim)
        vectors = np.lib.format.open_memmap(
            self.output / VECTORS, mode="w+", dtype=np.float32, shape=shape
        )
        known.fill(vectors, places)
        vectors.flush()
        for feature, rows in self.catalogue.rows.items():
            path = rows_path(self.output, feature)
            path.parent.mkdir(exist_ok=True)
            np.save(path, rows)
        record = self.encoder.record.model_dump_json(indent=2)
        write_atomically(self.output / ENCODER, record.encode())


def _seal(
    staging: Path, dataset: Manifest, identity: str, counts: dict[str, Any]
) -> None:
    write_manifest(
        staging,
        kind="text_embeddings",
        identity=identity,
        parent=dataset.id,
        spec_fingerprint=dataset.spec_fingerprint,
        counts=counts,
    )
