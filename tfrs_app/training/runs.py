"""A finished training on disk: its identity, what is written, how it comes back."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfrs_app.contract.artifacts import (
    SPEC,
    ArtifactKind,
    Manifest,
    identity_of,
    verify,
    write_atomically,
    write_manifest,
)
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.features import FeatureSpec
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.section import Section
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.ranking import RankingModel
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.models.updated_catalogue import call_once
from tfrs_app.training.fine_tuning import FineTuning
from tfrs_app.training.progress import TrainingProgress
from tfrs_app.version import __version__

CONFIG = "config.json"
WEIGHTS = "weights/retrieval"
EARLIER_WEIGHTS = "weights/before_validation"
"""Of the towers before they saw the validation span: what a ranker learns from."""
RANKING_WEIGHTS = "weights/ranking"
TEXT_ENCODER = "text_encoder"
"""A fine-tuned one, as a SavedModel: embeds texts as the run's towers know them."""
CHECKPOINTS = "checkpoints"


def run_identity(
    dataset_id: str,
    config: RetrievalConfig,
    encoder: str | None = None,
    fine_tuning: FineTuning | None = None,
) -> str:
    """Returns the id of the run that data and a configuration lead to.

    Args:
        dataset_id: of the dataset.
        config: of the training.
        encoder: fingerprint of the text encoder, if the towers read texts.
        fine_tuning: if the encoder is trained too.
    """
    text = None if fine_tuning is None else fine_tuning.text.model_dump(mode="json")
    return identity_of(
        dataset=dataset_id,
        encoder=encoder,
        fine_tuning=text,
        retrieval=config.model_dump(mode="json"),
        version=__version__,
    )


def seal(
    folder: Path,
    model: RetrievalModel,
    progress: TrainingProgress,
    fine_tuning: FineTuning | None,
) -> Manifest:
    """Writes what a finished training came to, and removes its checkpoints.

    Args:
        folder: of the run.
        model: as trained.
        progress: how the training went.
        fine_tuning: how the text encoder was trained too, if it was.
    """
    config, dataset, texts = model.config, model.encoded.dataset, model.encoded.texts
    encoder = None if texts is None else texts.fingerprint
    _towers(model).write(str(folder / WEIGHTS))
    if model.fine_tuned is not None:
        model.fine_tuned.encoder.write(folder / TEXT_ENCODER)
    return _sealed(
        folder,
        config,
        dataset.spec,
        progress,
        kind="retrieval",
        identity=run_identity(dataset.manifest.id, config, encoder, fine_tuning),
        parent=dataset.manifest.id,
        counts={f"validation_ndcg@{config.validation_k}": progress.best},
    )


def _sealed(
    folder: Path,
    config: Section,
    spec: FeatureSpec,
    progress: TrainingProgress,
    *,
    kind: ArtifactKind,
    identity: str,
    parent: str,
    counts: Mapping[str, Any],
) -> Manifest:
    """Writes what stands beside the weights, seals the run, removes its checkpoints."""
    write_atomically(folder / CONFIG, config.model_dump_json(indent=2).encode())
    write_atomically(folder / SPEC, spec.model_dump_json(indent=2).encode())
    epochs = {"epochs": progress.epochs_done, "best_epoch": progress.best_epoch}
    manifest = write_manifest(
        folder,
        kind=kind,
        identity=identity,
        parent=parent,
        spec_fingerprint=spec.fingerprint,
        counts={**epochs, **counts},
        leave_out=CHECKPOINTS,
    )
    # After sealing: a kill amid the removal must not leave half of what a resume needs.
    shutil.rmtree(folder / CHECKPOINTS)
    return manifest


def write_earlier(folder: Path, model: RetrievalModel) -> None:
    """Writes the towers' weights of before they see the validation span."""
    _towers(model).write(str(folder / EARLIER_WEIGHTS))


def load_retrieval(
    folder: Path, encoded: EncodedDataset, *, weights: str = WEIGHTS
) -> RetrievalModel:
    """Restores the model of a finished run.

    Args:
        folder: of the run.
        encoded: the dataset that it was trained on.
        weights: `WEIGHTS` or `EARLIER_WEIGHTS`.

    Raises:
        ArtifactError: the run is unfinished, damaged or of another dataset.
    """
    manifest = verify(folder)
    _refuse_other(folder, manifest, "dataset", encoded.dataset.manifest.id)
    config = run_config(folder)
    model = RetrievalModel(encoded, config)
    # Layers make their variables when first called, and restoring fills them then.
    status = _towers(model).read(str(folder / weights))
    call_once(model, encoded.reader(config.longest_history))
    status.assert_consumed()
    return model


def _refuse_other(folder: Path, manifest: Manifest, what: str, wanted: str) -> None:
    if manifest.parent != wanted:
        raise ArtifactError(
            f"{folder}: was trained on {what} {manifest.parent}, not on {wanted}; "
            "train again"
        )


def ranking_identity(
    retrieval_run: str, config: RankingConfig, impressions: str | None
) -> str:
    """Returns the id of the ranker that all that it is made from leads to.

    Args:
        retrieval_run: id of the towers' run.
        config: of the ranker.
        impressions: what changes with the table of impressions; None: there is none.
    """
    return identity_of(
        retrieval=retrieval_run,
        impressions=impressions,
        ranking=config.model_dump(mode="json"),
        version=__version__,
    )


def seal_ranking(
    folder: Path,
    model: RankingModel,
    encoded: EncodedDataset,
    progress: TrainingProgress,
    metrics: Mapping[str, float],
    retrieval_run: str,
) -> Manifest:
    """Writes what a ranker's training came to, and removes its checkpoints.

    Args:
        folder: of the run, called by its id.
        model: as trained and calibrated.
        encoded: dataset with look-ups.
        progress: how the training went.
        metrics: of the held-out users.
        retrieval_run: id of the towers' run.
    """
    tf.train.Checkpoint(model=model).write(str(folder / RANKING_WEIGHTS))
    return _sealed(
        folder,
        model.config,
        encoded.dataset.spec,
        progress,
        kind="ranking",
        identity=folder.name,
        parent=retrieval_run,
        counts={
            "columns": model.columns,
            "vector_width": model.vector_width,
            **metrics,
        },
    )


def load_ranking(
    folder: Path, encoded: EncodedDataset, retrieval_run: str
) -> RankingModel:
    """Restores the ranker of a finished run.

    Raises:
        ArtifactError: the run is unfinished, damaged or of other towers.
    """
    manifest = verify(folder)
    _refuse_other(folder, manifest, "towers", retrieval_run)
    config = ranking_run_config(folder)
    widths = (manifest.counts[name] for name in ("columns", "vector_width"))
    model = RankingModel(encoded, config, *widths)
    nobody = tf.zeros([0], tf.int64)
    model.make_variables(encoded.reader(1)(nobody, nobody, nobody, nobody))
    status = tf.train.Checkpoint(model=model).read(str(folder / RANKING_WEIGHTS))
    status.assert_existing_objects_matched().expect_partial()
    return model


def _towers(model: RetrievalModel) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(
        query_tower=model.query_tower, candidate_tower=model.candidate_tower
    )


def run_config(folder: Path) -> RetrievalConfig:
    """Returns the configuration that a run was trained with."""
    return RetrievalConfig.model_validate_json((folder / CONFIG).read_bytes())


def ranking_run_config(folder: Path) -> RankingConfig:
    """Returns the configuration that a ranker was trained with."""
    return RankingConfig.model_validate_json((folder / CONFIG).read_bytes())
