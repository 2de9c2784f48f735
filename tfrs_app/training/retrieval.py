"""Trains the two towers: resumable, stopped early by validation recall."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrs_app.contract.artifacts import (
    SPEC,
    Manifest,
    exclusive,
    identity_of,
    verify,
    write_atomically,
    write_manifest,
)
from tfrs_app.contract.config import RetrievalConfig
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.windows import QueryReader, training_batches
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.training.optimizers import LazyAdam
from tfrs_app.training.progress import TrainingProgress
from tfrs_app.version import __version__

CONFIG = "config.json"
WEIGHTS = "weights/retrieval"
CHECKPOINTS = "checkpoints"
LOGS = "logs"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Examples:
    """Holds what is to be predicted: positions in the event log and their weights."""

    positions: np.ndarray
    weight: np.ndarray


def run_identity(dataset_id: str, config: RetrievalConfig) -> str:
    """Returns the id of the run that a dataset and a configuration lead to."""
    return identity_of(
        dataset=dataset_id,
        retrieval=config.model_dump(mode="json"),
        version=__version__,
    )


def training_examples(
    log: EventLog, dataset: Dataset, config: RetrievalConfig
) -> Examples:
    """Selects the events of the training span, weighted by type and age.

    Raises:
        DataError: there are fewer than one batch.
    """
    end_s = dataset.split.validation_start
    positions = np.flatnonzero(log.span(None, end_s))
    if len(positions) < config.batch_size:
        raise DataError(
            f"retrieval.batch_size: {config.batch_size} is more than the "
            f"{len(positions)} training events; lower it"
        )
    weight = log.weight[positions]
    if config.example_half_life_days is not None:
        age_days = (end_s - log.timestamp[positions]) / SECONDS_PER_DAY
        weight = weight * 0.5 ** (age_days / config.example_half_life_days)
    return Examples(positions, weight)


def build_model(
    encoded: EncodedDataset, examples: Examples, config: RetrievalConfig
) -> RetrievalModel:
    """Builds the model, whose logQ is the items' share among the examples."""
    counts = np.bincount(
        encoded.dataset.events.item[examples.positions],
        minlength=len(encoded.dataset.train_events),
    )
    return RetrievalModel(encoded, config, counts / counts.sum())


def train_retrieval(
    encoded: EncodedDataset, config: RetrievalConfig, folder: Path, report: Report
) -> Manifest:
    """Trains a retrieval model into a run folder, or resumes what a kill left there.

    Args:
        encoded: a verified dataset with its look-ups.
        config: sizes and training settings.
        folder: the run's folder, `runs/<id>`.
        report: takes one line a finished epoch.

    Returns:
        The manifest that seals the run.

    Raises:
        DataError: too few events for a batch.
        ArtifactError: another process trains into the same folder.
    """
    tf.keras.utils.set_random_seed(config.seed)
    dataset = encoded.dataset
    log = dataset.events
    examples = training_examples(log, dataset, config)
    reader = encoded.reader(config.history_length)
    model = build_model(encoded, examples, config)
    model.compile(optimizer=LazyAdam(config.learning_rate))
    question = ask(
        log, Target.ALL, dataset.split.validation_start, dataset.split.test_start
    )

    scorer = RetrievalScorer(model, reader)

    def recall() -> float:
        scorer.refresh()
        metrics = evaluate(scorer, question, (config.validation_k,))
        return metrics[f"recall@{config.validation_k}"]

    with exclusive(folder):
        progress = TrainingProgress(model, folder / CHECKPOINTS, config.patience)
        if progress.epochs_done:
            report(f"resuming after epoch {progress.epochs_done}")
        writer = tf.summary.create_file_writer(str(folder / LOGS))
        while not progress.finished(config.epochs):
            epoch = progress.epochs_done
            batches = training_batches(
                reader,
                log,
                positions=examples.positions,
                weight=examples.weight,
                batch_size=config.batch_size,
                seed=(config.seed, epoch),
            )
            history = model.fit(batches, initial_epoch=epoch, epochs=epoch + 1)
            loss, validation = history.history["loss"][0], recall()
            _log(writer, epoch, loss, validation)
            best = " (best)" if progress.record(validation) else ""
            report(
                f"epoch {epoch + 1}: loss {loss:.4f}, validation "
                f"recall@{config.validation_k} {validation:.4f}{best}"
            )
        writer.close()
        progress.restore_best()
        return _seal(model, dataset, config, folder, progress)


def _log(
    writer: tf.summary.SummaryWriter, epoch: int, loss: float, recall: float
) -> None:
    with writer.as_default(step=epoch + 1):
        tf.summary.scalar("loss", loss)
        tf.summary.scalar("validation_recall", recall)


def _seal(
    model: RetrievalModel,
    dataset: Dataset,
    config: RetrievalConfig,
    folder: Path,
    progress: TrainingProgress,
) -> Manifest:
    _towers(model).write(str(folder / WEIGHTS))
    write_atomically(folder / CONFIG, config.model_dump_json(indent=2).encode())
    write_atomically(folder / SPEC, dataset.spec.model_dump_json(indent=2).encode())
    shutil.rmtree(folder / CHECKPOINTS)
    return write_manifest(
        folder,
        kind="retrieval",
        identity=run_identity(dataset.manifest.id, config),
        parent=dataset.manifest.id,
        spec_fingerprint=dataset.spec.fingerprint,
        counts={
            "epochs": progress.epochs_done,
            "best_epoch": progress.best_epoch,
            f"validation_recall@{config.validation_k}": progress.best,
        },
    )


def load_retrieval(folder: Path, encoded: EncodedDataset) -> RetrievalModel:
    """Restores the model of a finished run.

    Raises:
        ArtifactError: the run is unfinished, damaged or of another dataset.
    """
    manifest = verify(folder)
    if manifest.parent != encoded.dataset.manifest.id:
        raise ArtifactError(
            f"{folder}: was trained on dataset {manifest.parent}, not on "
            f"{encoded.dataset.manifest.id}; train again"
        )
    config = run_config(folder)
    examples = training_examples(encoded.dataset.events, encoded.dataset, config)
    model = build_model(encoded, examples, config)
    # Layers make their variables when first called, and restoring fills them then.
    status = _towers(model).read(str(folder / WEIGHTS))
    _call_once(model, encoded.reader(config.history_length))
    status.assert_consumed()
    return model


def _towers(model: RetrievalModel) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(
        query_tower=model.query_tower, candidate_tower=model.candidate_tower
    )


def _call_once(model: RetrievalModel, reader: QueryReader) -> None:
    nobody = tf.zeros([0], tf.int64)
    model.query_tower(reader(nobody, nobody, nobody, nobody))
    model.embed_items(tf.zeros([0], tf.int32))


def run_config(folder: Path) -> RetrievalConfig:
    """Returns the configuration that a run was trained with."""
    return RetrievalConfig.model_validate_json((folder / CONFIG).read_bytes())
