"""A search never reads the test window."""

import numpy as np
import pytest

from tests.scrambled import scrambled
from tfrs_app.contract.retrieval_config import FactorsConfig
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.tuning.trial import ValidationOf

VALUES = {"retrieval.learning_rate": 0.01, "retrieval.embedding_dim": 8}


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
