"""Trains the two towers: resumable, stopped early by validation NDCG."""

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
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.contract.retrieval_config import SEQUENCE_ENCODERS, RetrievalConfig
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.windows import QueryReader, training_batches
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.training.fine_tuning import FineTuning
from tfrs_app.training.optimizers import LazyAdam
from tfrs_app.training.progress import TrainingProgress
from tfrs_app.version import __version__

CONFIG = "config.json"
WEIGHTS = "weights/retrieval"
TEXT_ENCODER = "text_encoder"
"""A fine-tuned one, as a SavedModel: embeds texts as the run's towers know them."""
CHECKPOINTS = "checkpoints"
LOGS = "logs"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Examples:
    """Holds what is to be predicted: positions in the event log and their weights."""

    positions: np.ndarray
    weight: np.ndarray


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


def examples_of(
    log: EventLog, config: RetrievalConfig, start_s: int | None, end_s: int
) -> Examples:
    """Selects the events with start <= time < end, weighted by type and age."""
    positions = np.flatnonzero(log.span(start_s, end_s))
    weight = log.weight[positions]
    weight = np.where(log.repeated[positions], config.repeat_weight, 1.0) * weight
    positions, weight = positions[weight > 0], weight[weight > 0]
    if config.example_half_life_days is not None:
        age_days = (end_s - log.timestamp[positions]) / SECONDS_PER_DAY
        weight = weight * 0.5 ** (age_days / config.example_half_life_days)
    return Examples(positions, weight)


def train_retrieval(
    encoded: EncodedDataset,
    config: RetrievalConfig,
    folder: Path,
    report: Report,
    fine_tuning: FineTuning | None = None,
) -> Manifest:
    """Trains a retrieval model into a run folder, or resumes what a kill left there.

    Args:
        encoded: a verified dataset with its look-ups.
        config: sizes and training settings.
        folder: the run's folder, `runs/<id>`.
        report: takes one line a finished epoch.
        fine_tuning: how the text encoder is trained too, if it is.

    Returns:
        The manifest that seals the run.

    Raises:
        DataError: there are too few training events for a batch.
        ArtifactError: another process trains into the same folder.
    """
    tf.keras.utils.set_random_seed(config.seed)
    training = RetrievalTraining(encoded, config, report, fine_tuning)
    with exclusive(folder):
        progress = TrainingProgress(
            training.model, folder / CHECKPOINTS, config.patience
        )
        if progress.epochs_done:
            report(f"resuming after epoch {progress.epochs_done}")
        writer = tf.summary.create_file_writer(str(folder / LOGS))
        while not progress.finished(config.epochs):
            training.run_epoch(progress, writer)
        writer.close()
        progress.restore_best()
        training.catch_up()
        return _seal(training, encoded, folder, progress)


class RetrievalTraining:
    """Holds what every epoch of one training uses."""

    def __init__(
        self,
        encoded: EncodedDataset,
        config: RetrievalConfig,
        report: Report,
        fine_tuning: FineTuning | None = None,
    ) -> None:
        self.config = config
        self.report = report
        self.fine_tuning = fine_tuning
        self.log = encoded.dataset.events
        self.split = encoded.dataset.split
        validation_s = self.split.validation_start
        self.examples = examples_of(self.log, config, None, validation_s)
        self._check_batch(self.examples)
        self.recent = examples_of(self.log, config, validation_s, self.split.test_start)
        if config.catch_up_epochs:
            self._check_batch(self.recent)
        self.reader = encoded.reader(config.longest_history)
        texts = encoder_optimizer = None
        if fine_tuning is not None:
            texts = fine_tuning.texts(encoded, config.seed + 2)
            encoder_optimizer = fine_tuning.optimizer()
        self.model = RetrievalModel(encoded, config, texts)
        self.model.compile(LazyAdam(config.learning_rate), encoder_optimizer)
        self.model.expect_targets(self.log.item[self.examples.positions])
        self.model.fit_factors(validation_s)
        self.scorer = RetrievalScorer(self.model, self.reader)
        self.question = ask(
            self.log,
            Target(config.validation_target),
            validation_s,
            self.split.test_start,
        )

    def run_epoch(
        self, progress: TrainingProgress, writer: tf.summary.SummaryWriter
    ) -> None:
        """Trains one epoch, then measures, logs and checkpoints it."""
        epoch, k = progress.epochs_done, self.config.validation_k
        loss, ndcg = self.measured_epoch(epoch)
        with writer.as_default(step=epoch + 1):
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("validation_ndcg", ndcg)
        best = " (best)" if progress.record(ndcg) else ""
        self.report(
            f"epoch {epoch + 1}: loss {loss:.4f}, validation ndcg@{k} {ndcg:.4f}{best}"
        )

    def measured_epoch(self, epoch: int) -> tuple[float, float]:
        """Trains an epoch, counted from 0; returns its loss and the validation NDCG."""
        k = self.config.validation_k
        loss = self._fit(self.examples, epoch, self.config.epochs)
        self.scorer.refresh()
        return loss, evaluate(self.scorer, self.question, (k,))[f"ndcg@{k}"]

    def catch_up(self) -> None:
        """Trains on the validation span, once the best epoch has been chosen by it.

        The model is to answer from the test's start on; without this its knowledge
        would end a whole validation span earlier than the baselines'.
        """
        self.model.fit_factors(self.split.test_start)
        for epoch in range(self.config.catch_up_epochs):
            self.model.expect_targets(self.log.item[self.recent.positions])
            last = self.config.epochs + self.config.catch_up_epochs
            loss = self._fit(self.recent, self.config.epochs + epoch, last)
            self.report(f"caught up on the validation span: loss {loss:.4f}")

    def _fit(self, examples: Examples, epoch: int, epochs: int) -> float:
        """Trains one epoch and returns its mean loss."""
        batches = training_batches(
            self.reader,
            self.log,
            positions=examples.positions,
            weight=examples.weight,
            batch_size=self.config.batch_size,
            seed=(self.config.seed, epoch),
            share_windows=self.config.history_encoder in SEQUENCE_ENCODERS,
        )
        self.report(f"epoch {epoch + 1} of at most {epochs}")
        history = self.model.fit(batches, initial_epoch=0, epochs=1)
        self.model.refresh_texts()
        return float(history.history["loss"][0])

    def _check_batch(self, examples: Examples) -> None:
        if len(examples.positions) < self.config.batch_size:
            raise DataError(
                f"retrieval.batch_size: {self.config.batch_size} is more than the "
                f"{len(examples.positions)} events of a training span; lower it"
            )


def _seal(
    training: RetrievalTraining,
    encoded: EncodedDataset,
    folder: Path,
    progress: TrainingProgress,
) -> Manifest:
    dataset, texts, config = encoded.dataset, encoded.texts, training.config
    encoder = None if texts is None else texts.fingerprint
    _towers(training.model).write(str(folder / WEIGHTS))
    if training.model.fine_tuned is not None:
        training.model.fine_tuned.encoder.write(folder / TEXT_ENCODER)
    write_atomically(folder / CONFIG, config.model_dump_json(indent=2).encode())
    write_atomically(folder / SPEC, dataset.spec.model_dump_json(indent=2).encode())
    manifest = write_manifest(
        folder,
        kind="retrieval",
        identity=run_identity(
            dataset.manifest.id, config, encoder, training.fine_tuning
        ),
        parent=dataset.manifest.id,
        spec_fingerprint=dataset.spec.fingerprint,
        counts={
            "epochs": progress.epochs_done,
            "best_epoch": progress.best_epoch,
            f"validation_ndcg@{config.validation_k}": progress.best,
        },
        leave_out=CHECKPOINTS,
    )
    # After sealing: a kill amid the removal must not leave half of what a resume needs.
    shutil.rmtree(folder / CHECKPOINTS)
    return manifest


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
    model = RetrievalModel(encoded, config)
    # Layers make their variables when first called, and restoring fills them then.
    status = _towers(model).read(str(folder / WEIGHTS))
    _call_once(model, encoded.reader(config.longest_history))
    status.assert_consumed()
    return model


def _towers(model: RetrievalModel) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(
        query_tower=model.query_tower, candidate_tower=model.candidate_tower
    )


def _call_once(model: RetrievalModel, reader: QueryReader) -> None:
    nobody = tf.zeros([0], tf.int64)
    model.query_tower(reader(nobody, nobody, nobody, nobody))
    model.embed_items(tf.zeros([0], tf.int32), 0)


def run_config(folder: Path) -> RetrievalConfig:
    """Returns the configuration that a run was trained with."""
    return RetrievalConfig.model_validate_json((folder / CONFIG).read_bytes())
