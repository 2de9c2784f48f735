"""Trains the ranker on what the funnel proposes after the towers' training span."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfrs_app.contract.artifacts import Manifest, exclusive
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.data.shown_lists import ShownLists
from tfrs_app.evaluation.probabilities import group_auc, list_metrics
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.list_losses import list_loss
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.ranking import VECTORS, RankingModel
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.progress import metered
from tfrs_app.training.averaging import AveragedWeights
from tfrs_app.training.progress import TrainingProgress
from tfrs_app.training.ranking_examples import RankingExamples, ranking_examples
from tfrs_app.training.ranking_lists import Lists, logits_of
from tfrs_app.training.runs import CHECKPOINTS, seal_ranking

VALIDATION_K = 20

Report = Callable[[str], None]


def train_ranking(
    encoded: EncodedDataset,
    retrieval: RetrievalModel,
    config: RankingConfig,
    folder: Path,
    report: Report,
    *,
    retrieval_run: str,
    shown: ShownLists | None = None,
) -> Manifest:
    """Trains a ranker into a run folder, or resumes what a kill left there.

    Args:
        encoded: a verified dataset with its look-ups.
        retrieval: the towers as they were before they saw the validation span.
        config: sizes and training settings.
        folder: the run's folder, `runs/<id>`.
        report: takes one line a finished epoch.
        retrieval_run: id of the towers' run.
        shown: lists that a shop showed; None: it does not tell.

    Returns:
        The manifest that seals the run.

    Raises:
        DataError: nothing that was proposed was bought.
        ArtifactError: another process trains into the same folder.
    """
    tf.keras.utils.set_random_seed(config.seed)
    with exclusive(folder):
        examples = ranking_examples(encoded, retrieval, config, shown)
        lists = examples.training
        report(
            f"{len(lists.user):,} lists with {int((lists.row != NOTHING).sum()):,} "
            f"candidates, {int(lists.label[..., -1].sum()):,} of them bought; "
            f"{len(examples.held_out.user):,} held out"
        )
        training = RankingTraining(encoded, config, examples)
        progress = training.run(folder / CHECKPOINTS, report)
        metrics = training.measured()
        told = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        report(f"held-out users, calibrated: {told}")
        if examples.shown is not None:
            of_shown = training.measured_of(examples.shown)
            told = ", ".join(f"{name} {value:.4f}" for name, value in of_shown.items())
            report(f"what held-out users were shown: {told}")
            metrics |= of_shown
        return seal_ranking(
            folder,
            training.model,
            encoded,
            progress,
            metrics,
            retrieval_run,
        )


class RankingTraining:
    """Holds what every epoch of one training uses.

    Args:
        encoded: dataset with look-ups.
        config: sizes and training settings.
        examples: lists.
    """

    def __init__(
        self, encoded: EncodedDataset, config: RankingConfig, examples: RankingExamples
    ) -> None:
        self.config, self.examples = config, examples
        lists = examples.training
        self.vectors = tf.constant(examples.vectors)
        self.model = RankingModel(
            encoded, config, lists.features.shape[2], examples.vectors.shape[1]
        )
        self.model.scale.fit(lists.features[lists.row != NOTHING])
        self.model(self._inputs(lists, np.arange(1)))  # makes the variables
        self.optimizer = tf.keras.optimizers.Adam(config.learning_rate)
        self.average = AveragedWeights(
            self.model.trainable_variables, config.average_decay
        )
        self._step = tf.function(self._take_step, reduce_retracing=True)
        self._logits = tf.function(
            lambda inputs: self.model(inputs), reduce_retracing=True
        )

    def run(self, checkpoints: Path, report: Report) -> TrainingProgress:
        """Trains until no epoch is better, restores the best and calibrates it.

        Args:
            checkpoints: folder; what a killed training left there is resumed.
            report: takes one line a finished epoch.
        """
        config = self.config
        progress = TrainingProgress(
            self.model,
            self.optimizer,
            checkpoints,
            config.patience,
            average=self.average,
        )
        if progress.epochs_done:
            report(f"resuming after epoch {progress.epochs_done}")
        while not progress.finished(config.epochs):
            epoch = progress.epochs_done
            loss = self.run_epoch(epoch)
            with self.average.lent():
                ndcg = self.measured()[f"ndcg@{VALIDATION_K}"]
            best = " (best)" if progress.record(ndcg) else ""
            report(
                f"epoch {epoch + 1}: loss {loss:.4f}, ndcg@{VALIDATION_K} of held-out "
                f"users' lists {ndcg:.4f}{best}"
            )
        progress.restore_best()
        self.average.give()
        self.calibrate()
        return progress

    def run_epoch(self, epoch: int) -> float:
        """Trains one epoch, counted from 0, and returns its mean loss."""
        lists, size = self.examples.training, self.config.batch_size
        order = np.random.default_rng([self.config.seed, epoch]).permutation(
            len(lists.user)
        )
        losses: list[tf.Tensor] = []  # numbers each step would make the steps wait
        what = f"epoch {epoch + 1} of at most {self.config.epochs}"
        with metered(what, "lists", len(order)) as meter:
            for start in range(0, max(1, len(order) - size + 1), size):
                some = order[start : start + size]
                label = lists.label[some].astype(np.float32)
                inputs = self._inputs(lists, some)
                losses.append(self._step(inputs, label, lists.weight[some]))
                meter.advance(len(some), lambda: f"loss {float(losses[-1]):.4f}")
        return float(np.mean(losses))

    def _take_step(
        self, inputs: dict[str, tf.Tensor], label: tf.Tensor, weight: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            opinions = self.model.opinions(inputs, training=True)
            wanted = tf.unstack(label, axis=-1)
            each = [
                list_loss(self.config.loss, logit, of_task, weight)
                for logits in tf.unstack(opinions, axis=2)
                for logit, of_task in zip(
                    tf.unstack(logits, axis=-1), wanted, strict=True
                )
            ]
            loss = tf.add_n(each) / len(each)
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self.average.update(self.optimizer.iterations)
        return loss

    def calibrate(self) -> None:
        """Fits each task's probabilities to the held-out users' lists."""
        lists = self.examples.held_out
        logits, real = self._held_out_logits(), lists.weight > 0
        for task, calibration in enumerate(self.model.calibrations):
            calibration.fit(
                self.config.calibration,
                logits[..., task][real],
                lists.label[..., task][real],
                lists.weight[real],
            )

    def measured(self) -> dict[str, float]:
        """Returns the metrics of the held-out users' lists."""
        lists = self.examples.held_out
        probabilities = self.model.probabilities(tf.constant(self._held_out_logits()))
        score = self.model.score(probabilities, tf.constant(lists.row)).numpy()
        weightiest = probabilities[self.model.tasks[-1]].numpy()
        return list_metrics(
            score=score,
            probability=weightiest,
            label=lists.label[..., -1],
            weight=lists.weight,
            wanted=lists.wanted,
            k=VALIDATION_K,
        )

    def measured_of(self, shown: Lists) -> dict[str, float]:
        """Returns how well each task tells shown items from each other (GAUC).

        A task of which no list has a positive beside a negative is left out.
        """
        logits = tf.constant(logits_of(self._logits, shown, self.examples.vectors))
        probabilities = self.model.probabilities(logits)
        real = shown.weight > 0
        each = {
            f"shown_{task}_gauc": group_auc(
                probabilities[task].numpy(), shown.label[..., place], real
            )
            for place, task in enumerate(self.model.tasks)
        }
        return {name: value for name, value in each.items() if not np.isnan(value)}

    def _held_out_logits(self) -> np.ndarray:
        lists = self.examples.held_out
        return logits_of(self._logits, lists, self.examples.vectors)

    def _inputs(self, lists: Lists, some: np.ndarray) -> dict[str, Any]:
        return {VECTORS: self.vectors, **lists.inputs(some)}
