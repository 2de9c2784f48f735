"""A trial measures what a training of the same values would be stopped by."""

import gc
import re
from dataclasses import dataclass

import pytest

from tfrs_app.contract.retrieval_config import FactorsConfig
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.training.retrieval import RetrievalTraining, train_retrieval
from tfrs_app.tuning.search import EndedError
from tfrs_app.tuning.trial import ValidationOf

pytestmark = pytest.mark.slow

RATE = "retrieval.learning_rate"
HISTORY = "retrieval.history_length"
LIVELY = 1.0


@pytest.fixture(scope="module")
def base(little_config):
    return little_config.retrieval.model_copy(
        update={
            "epochs": 4,
            "patience": 1,
            "batch_size": 2,
            "uniform_negatives": 2,
            "catch_up_epochs": 1,
            "factors": FactorsConfig(dim=2),
        }
    )


def measured(encoded, base, values):
    """The value of a trial, and that of each of its epochs."""
    epochs = []

    def epoch_done(epoch, metric):
        assert epoch == len(epochs) + 1
        epochs.append(metric)

    objective = ValidationOf(encoded, base, lambda line: None)
    return objective(values, epoch_done), epochs


@dataclass(frozen=True)
class Trials:
    """What two trials in a row told, and how many models each found in memory."""

    still: tuple[float, list[float]]
    lively: tuple[float, list[float]]
    factors_until_s: list[int]
    models: list[int]


@pytest.fixture(scope="module")
def trials(little_encoded, base) -> Trials:
    moments, models = [], []
    fit = RetrievalModel.fit_factors

    def noted(self, until_s):
        moments.append(until_s)
        alive = [each for each in gc.get_objects() if type(each) is RetrievalModel]
        models.append(len(alive) - others)
        return fit(self, until_s)

    gc.collect()
    others = sum(type(each) is RetrievalModel for each in gc.get_objects())
    gc.disable()  # or Python might do what the trial must do
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RetrievalModel, "fit_factors", noted)
            patch.setattr(RetrievalTraining, "catch_up", None)  # a call would fail
            still = measured(little_encoded, base, {RATE: 1e-9, HISTORY: 1})
            lively = measured(little_encoded, base, {RATE: LIVELY})
    finally:
        gc.enable()
    return Trials(still, lively, moments, models)


def test_a_trial_tells_what_the_training_tells(trials, little_encoded, base, tmp_path):
    lines = []
    config = base.model_copy(update={"learning_rate": LIVELY})
    manifest = train_retrieval(little_encoded, config, tmp_path / "run", lines.append)
    value, epochs = trials.lively
    assert manifest.counts["validation_ndcg@2"] == pytest.approx(value, abs=1e-9)
    assert manifest.counts["epochs"] == len(epochs)
    told = [re.search(r"ndcg@2 (\S+)", line) for line in lines]
    assert [f"{metric:.4f}" for metric in epochs] == [m[1] for m in told if m]


def test_patience_ends_a_trial(trials):
    value, epochs = trials.still
    assert epochs == [value, value]


def test_a_trial_knows_nothing_beyond_validations_start(trials, little_encoded):
    start = little_encoded.dataset.split.validation_start
    assert trials.factors_until_s == [start, start]


def test_a_trial_does_not_meet_the_model_of_the_last(trials):
    assert trials.models == [1, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"retrieval.batch_size": 7}, "batch_size: 7 is more than the 6 events"),
        (
            {"retrieval.history_encoder": "transformer", "retrieval.embedding_dim": 3},
            "embedding_dim 3 is no multiple of history_heads 2",
        ),
        ({RATE: 1e38}, "the loss of epoch [12] is nan"),
    ],
)
def test_what_cannot_be_trained_ends_the_trial(little_encoded, base, values, message):
    with pytest.raises(EndedError, match=message):
        measured(little_encoded, base, values)


def test_the_search_may_end_a_trial(little_encoded, base):
    epochs = []

    def end(epoch, metric):
        epochs.append(epoch)
        raise EndedError("no prospects")

    objective = ValidationOf(little_encoded, base, lambda line: None)
    with pytest.raises(EndedError, match="no prospects"):
        objective({RATE: 0.1}, end)
    assert epochs == [1]
