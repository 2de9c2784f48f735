"""Where a training stands: what a checkpoint holds beside weights and optimiser."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


def stops(epochs_done: int, best_epoch: int, epochs: int, patience: int) -> bool:
    """Tells whether all epochs are done or none was better for too long."""
    return epochs_done >= epochs or epochs_done - best_epoch >= patience


class TrainingProgress:
    """Checkpoints every epoch, resumes, remembers the best epoch and stops early.

    One checkpoint holds model, optimiser, random state and these counters, so a resumed
    training goes on exactly as the killed one would have. The checkpoints kept are just
    those that early stopping can still return to.

    Args:
        model: that is trained.
        optimizer: that trains it.
        folder: of the checkpoints; one that a killed training left there is resumed.
        patience: epochs without a better metric before `finished`.
        also: what else a checkpoint keeps, by name.
    """

    def __init__(
        self,
        model: tf.keras.layers.Layer,
        optimizer: tf.keras.optimizers.Optimizer,
        folder: Path,
        patience: int,
        **also: tf.Module,
    ) -> None:
        self.patience = patience
        self._epochs = tf.Variable(0, dtype=tf.int64)
        self._best = tf.Variable(-1.0, dtype=tf.float64)
        self._best_epoch = tf.Variable(0, dtype=tf.int64)
        self._checkpoint = tf.train.Checkpoint(
            model=model,
            optimizer=optimizer,
            epochs=self._epochs,
            best=self._best,
            best_epoch=self._best_epoch,
            **also,
        )
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(folder), max_to_keep=patience + 1
        )
        if self._manager.latest_checkpoint:
            self._checkpoint.restore(self._manager.latest_checkpoint)

    @property
    def epochs_done(self) -> int:
        """Returns the number of finished epochs."""
        return int(self._epochs.numpy())

    @property
    def best_epoch(self) -> int:
        """Returns the number of the best epoch, counted from 1; 0 before the first."""
        return int(self._best_epoch.numpy())

    @property
    def best(self) -> float:
        """Returns the best metric so far."""
        return float(self._best.numpy())

    def finished(self, epochs: int) -> bool:
        """Tells whether all epochs are done or patience has run out."""
        return stops(self.epochs_done, self.best_epoch, epochs, self.patience)

    def record(self, metric: float) -> bool:
        """Counts an epoch, keeps its checkpoint, and tells whether it is the best."""
        self._epochs.assign_add(1)
        improved = metric > self.best
        if improved:
            self._best.assign(metric)
            self._best_epoch.assign(self._epochs)
        self._manager.save(checkpoint_number=self._epochs)
        return improved

    def restore_best(self) -> None:
        """Brings the weights of the best epoch back."""
        path = self._manager.checkpoints[-1 - (self.epochs_done - self.best_epoch)]
        done = self.epochs_done
        self._checkpoint.restore(path)
        self._epochs.assign(done)
