"""One trial: a training that is measured on the validation span and thrown away."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from pydantic import ValidationError

from tfrs_app.contract.errors import DataError
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.search_space import with_values
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.training.fine_tuning import FineTuning
from tfrs_app.training.progress import stops
from tfrs_app.training.retrieval import Report, RetrievalTraining
from tfrs_app.tuning.search import EndedError


@dataclass(frozen=True)
class ValidationOf:
    """Measures values by the figure that early stopping would pick the best epoch by.

    It neither catches up on the validation span nor reads the test span, and it writes
    nothing.

    Args:
        encoded: a verified dataset with its look-ups.
        base: the values of the keys that are not searched.
        report: takes what a training has to say.
        fine_tuning: how the text encoder is trained too, if it is.
    """

    encoded: EncodedDataset
    base: RetrievalConfig
    report: Report
    fine_tuning: FineTuning | None = None

    def __call__(
        self, values: Mapping[str, Any], epoch_done: Callable[[int, float], None]
    ) -> float:
        """Returns the best epoch's validation NDCG.

        Raises:
            EndedError: the values exclude each other, the data are too few for them,
                the loss is no number, or `epoch_done` says so.
        """
        # The last trial's model lies in cycles: beside it this one may not fit.
        gc.collect()
        config = self._config(values)
        tf.keras.utils.set_random_seed(config.seed)
        training = self._training(config)
        best, best_epoch, epoch = -1.0, 0, 0
        while not stops(epoch, best_epoch, config.epochs, config.patience):
            loss, ndcg = training.measured_epoch(epoch)
            epoch += 1
            if not math.isfinite(loss):
                raise EndedError(f"the loss of epoch {epoch} is {loss}")
            if ndcg > best:
                best, best_epoch = ndcg, epoch
            epoch_done(epoch, ndcg)
        return best

    def _config(self, values: Mapping[str, Any]) -> RetrievalConfig:
        try:
            return with_values(self.base, values)
        except ValidationError as error:
            fault = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise EndedError(fault) from error

    def _training(self, config: RetrievalConfig) -> RetrievalTraining:
        try:
            return RetrievalTraining(
                self.encoded, config, self.report, self.fine_tuning
            )
        except DataError as error:
            raise EndedError(str(error)) from error
