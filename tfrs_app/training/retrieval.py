"""Trains the two towers: resumable, stopped early by validation NDCG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrs_app.contract.artifacts import Manifest, exclusive
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.retrieval_config import SEQUENCE_ENCODERS, RetrievalConfig
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.windows import training_batches
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.progress import metered, watched
from tfrs_app.training.epoch_meter import EpochMeter
from tfrs_app.training.fine_tuning import FineTuning
from tfrs_app.training.optimizers import LazyAdam
from tfrs_app.training.progress import TrainingProgress
from tfrs_app.training.runs import CHECKPOINTS, seal, write_earlier

LOGS = "logs"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Examples:
    """Holds what is to be predicted: positions in the event log and their weights."""

    positions: np.ndarray
    weight: np.ndarray


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
            training.model,
            training.model.optimizer,
            folder / CHECKPOINTS,
            config.patience,
        )
        if progress.epochs_done:
            report(f"resuming after epoch {progress.epochs_done}")
        writer = tf.summary.create_file_writer(str(folder / LOGS))
        while not progress.finished(config.epochs):
            training.run_epoch(progress, writer)
        writer.close()
        progress.restore_best()
        write_earlier(folder, training.model)
        training.catch_up()
        return seal(folder, training.model, progress, fine_tuning)


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
        self._fit_factors(validation_s)
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
        self._fit_factors(self.split.test_start)
        for epoch in range(self.config.catch_up_epochs):
            self.model.expect_targets(self.log.item[self.recent.positions])
            last = self.config.epochs + self.config.catch_up_epochs
            loss = self._fit(self.recent, self.config.epochs + epoch, last)
            self.report(f"caught up on the validation span: loss {loss:.4f}")

    def _fit_factors(self, until_s: int) -> None:
        if self.config.factors is not None:
            with watched("factors of the events"):
                self.model.fit_factors(until_s)

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
        what, total = f"epoch {epoch + 1} of at most {epochs}", len(examples.positions)
        with metered(what, "examples", total) as meter:
            shown = EpochMeter(meter, self.config.batch_size)
            history = self.model.fit(batches, epochs=1, verbose=0, callbacks=[shown])
        self.model.refresh_texts()
        return float(history.history["loss"][0])

    def _check_batch(self, examples: Examples) -> None:
        if len(examples.positions) < self.config.batch_size:
            raise DataError(
                f"retrieval.batch_size: {self.config.batch_size} is more than the "
                f"{len(examples.positions)} events of a training span; lower it"
            )
