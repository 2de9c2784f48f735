"""Publishes a SavedModel: complete, warmed, sealed, and visible in one rename."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfrs_app.contract.artifacts import (
    MODEL_EXTRAS,
    SPEC,
    Manifest,
    identity_of,
    staged,
    write_atomically,
    write_manifest,
)
from tfrs_app.contract.config import ExportConfig
from tfrs_app.contract.signatures import SERVING_DEFAULT
from tfrs_app.export.filters import ItemFilters
from tfrs_app.export.index_choice import IndexChoice, choose_index, sample_queries
from tfrs_app.export.item_embedder import ItemEmbedder
from tfrs_app.export.item_texts import ItemTexts
from tfrs_app.export.ranked_recommender import RankedRecommender
from tfrs_app.export.recommender import Recommender
from tfrs_app.export.warmup import write_warmup
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.text import TextEncoder
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.funnel import Funnel
from tfrs_app.models.item_state import ItemKnowledge
from tfrs_app.models.ranking import RankingModel
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.progress import watched
from tfrs_app.version import __version__


class TextEncoders(NamedTuple):
    """Holds the encoder of the catalogue's texts, and that as the towers know it."""

    of_catalogue: TextEncoder
    of_towers: TextEncoder
    """The same, unless it was fine-tuned."""


SCANN_NAMESPACE = "Scann"
INDEX_REPORT = "index.json"


def model_identity(
    run_id: str, config: ExportConfig, catalogue: str | None = None
) -> str:
    """Returns the id of the model that a run and an export configuration lead to.

    Args:
        run_id: of the last training, the ranker's if there is one.
        config: the section `export`.
        catalogue: fingerprint of what was pushed onto the dataset's, or None.
    """
    return identity_of(
        run=run_id,
        export=config.model_dump(mode="json"),
        catalogue=catalogue,
        version=__version__,
    )


def versions(base: Path) -> list[int]:
    """Returns the published version numbers below a model's base path, ascending."""
    if not base.is_dir():
        return []
    return sorted(
        int(path.name)
        for path in base.iterdir()
        if path.is_dir() and path.name == str(_number(path.name))
    )


def _number(name: str) -> int | None:
    return int(name) if name.isdecimal() else None


def build_recommender(
    model: RetrievalModel,
    encoded: EncodedDataset,
    config: ExportConfig,
    ranker: RankingModel | None = None,
    moment_s: int | None = None,
    encoders: TextEncoders | None = None,
) -> tuple[Recommender, IndexChoice]:
    """Puts look-ups, query tower, index and, if there is one, ranker together.

    Args:
        model: the trained towers.
        encoded: their dataset.
        config: the section `export`.
        ranker: orders what the sources propose, or None.
        moment_s: as of which items are known; None: just after all events.
        encoders: of the items' texts, if the towers read texts; without them the model
            neither searches nor embeds items.

    Raises:
        ConfigError: the catalogue or `min_recall` forbids the configured index.
    """
    dataset = encoded.dataset
    if moment_s is None:
        moment_s = int(dataset.events.timestamp.max()) + 1
    funnel = None
    if ranker is None:
        vectors = model.embed_catalogue(moment_s)
        embeddings = tf.Variable(vectors, trainable=False)
    else:
        knowledge = ItemKnowledge(model, encoded, ranker.config)
        state = knowledge.refresh(moment_s)
        funnel = Funnel(encoded, model.query_tower, state, ranker.config)
        embeddings = state.embeddings
    queries = sample_queries(model, encoded, moment_s)
    with watched("measuring indices"):
        choice = choose_index(embeddings, queries, config, dataset.listed)
    parts: dict[str, Any] = {
        "spec": dataset.spec,
        "lookup": encoded.lookup,
        "query_tower": model.query_tower,
        "index": choice.index,
        "item_ids": dataset.catalogue["item_id"],
        "embeddings": embeddings,
        "filters": ItemFilters(dataset.spec, dataset.catalogue),
        "listed": dataset.listed,
        **_of_texts(model, moment_s, encoders),
        "similarity_dim": model.config.embedding_dim,
    }
    shown = model.config.longest_history
    if ranker is None or funnel is None:
        return Recommender(history_length=shown, **parts), choice
    parts["history_length"] = ranker.config.longest_history(shown)
    kinds = _kinds(dataset.catalogue, config.complements_differ_in)
    ranked = RankedRecommender(funnel, ranker, config.explore_new, kinds, **parts)
    return ranked, choice


def _kinds(catalogue: Mapping[str, np.ndarray], name: str | None) -> np.ndarray | None:
    """Returns a number for each value of a column, int32; NOTHING where it is empty."""
    if name is None:
        return None
    values, codes = np.unique(catalogue[name], return_inverse=True)
    return np.where(values[codes] == b"", NOTHING, codes).astype(np.int32)


def _of_texts(
    model: RetrievalModel, moment_s: int, encoders: TextEncoders | None
) -> dict[str, Any]:
    """Returns what embeds items that the catalogue lacks, and what is searched."""
    texts = None
    if model.encoded.texts is not None:
        if encoders is None:
            return {"embedder": None, "texts": None}
        texts = ItemTexts(encoders.of_catalogue, model.encoded.texts)
    towers = None if encoders is None else encoders.of_towers
    embedder = ItemEmbedder(model, moment_s, texts, towers)
    return {"embedder": embedder, "texts": texts}


def publish(
    recommender: Recommender,
    choice: IndexChoice,
    encoded: EncodedDataset,
    base: Path,
    *,
    run_id: str,
    config: ExportConfig,
    catalogue: str | None = None,
) -> tuple[Path, Manifest]:
    """Writes the next version below a base path that TF Serving may be watching.

    Args:
        recommender: what to serve.
        choice: the index that it has, and what was measured.
        encoded: gives real requests for the warm-up.
        base: `models/<shop>`.
        run_id: the run that the recommender comes from.
        config: index and number of warm-up requests.
        catalogue: fingerprint of what was pushed onto the dataset's, or None.

    Returns:
        The version's folder and its manifest.

    Raises:
        ArtifactError: another process is publishing the same version.
    """
    folder = base / str(max(versions(base), default=0) + 1)
    spec = encoded.dataset.spec
    with staged(folder) as partial:
        save(recommender, partial)
        extras = partial / MODEL_EXTRAS
        write_atomically(extras / SPEC, spec.model_dump_json(indent=2).encode())
        write_atomically(extras / INDEX_REPORT, choice.json)
        write_warmup(
            extras,
            encoded.dataset,
            model_name=base.name,
            requests=config.warmup_requests,
            history_length=recommender.history_length,
        )
        manifest = write_manifest(
            partial,
            kind="model",
            identity=model_identity(run_id, config, catalogue),
            parent=run_id,
            spec_fingerprint=spec.fingerprint,
            counts={"items": len(recommender.item_ids), "index": choice.chosen.index},
            inside=MODEL_EXTRAS,
        )
    return folder, manifest


def save(recommender: Recommender, folder: Path) -> None:
    """Saves the module; ScaNN's ops are named as such, so that any process may load."""
    with watched("saving the model"):
        signatures = recommender.signatures()
        tf.saved_model.save(
            recommender,
            str(folder),
            signatures={
                **signatures,
                SERVING_DEFAULT: signatures[recommender.main_signature],
            },
            options=tf.saved_model.SaveOptions(namespace_whitelist=[SCANN_NAMESPACE]),
        )
