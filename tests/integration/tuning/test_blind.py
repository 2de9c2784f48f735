"""A search never reads the test window."""

import dataclasses

import numpy as np
import pytest

from tfrs_app.contract.retrieval_config import FactorsConfig
from tfrs_app.data.dataset import Dataset
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.tuning.trial import ValidationOf

VALUES = {"retrieval.learning_rate": 0.01, "retrieval.embedding_dim": 8}


def scrambled(dataset, changed):
    """The dataset with random items and types in some events."""
    log, random = dataset.events, np.random.default_rng(3)
    other = Dataset.open(dataset.folder)
    items = random.integers(len(dataset.train_events), size=len(log.item))
    types = random.integers(len(log.type_weight), size=len(log.item))
    other.__dict__["events"] = dataclasses.replace(
        log,
        item=np.where(changed, items, log.item).astype(np.int32),
        event_type=np.where(changed, types, log.event_type).astype(np.int32),
    )
    return other


@pytest.mark.slow
def test_a_trial_is_worth_the_same_whatever_the_test_window_holds(
    simulated_dataset, simulated_shop
):
    factors = FactorsConfig(dim=4)
    more = {"epochs": 2, "catch_up_epochs": 1, "factors": factors}
    base = simulated_shop.config.retrieval.model_copy(update=more)
    log, split = simulated_dataset.events, simulated_dataset.split

    def epochs(changed):
        metrics = []
        encoded = EncodedDataset.of(scrambled(simulated_dataset, changed))
        objective = ValidationOf(encoded, base, lambda line: None)
        objective(VALUES, lambda epoch, metric: metrics.append(metric))
        return metrics

    later = log.timestamp >= split.test_start
    assert later.sum() > 100
    truth = epochs(np.zeros_like(later))
    assert epochs(later) == pytest.approx(truth, abs=1e-9)
    # The comparison can fail: the day before is validation's.
    day_before = (log.timestamp >= split.test_start - 86400) & ~later
    assert epochs(day_before) != pytest.approx(truth, abs=1e-9)
