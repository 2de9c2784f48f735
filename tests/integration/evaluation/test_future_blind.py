"""No scorer's answer changes when what happens later does."""

import numpy as np
import pytest
import tensorflow as tf

from tests.scrambled import scrambled
from tfrs_app.evaluation.baselines import FAMILIES
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel

FAMILY = {f.name: f for f in FAMILIES if not f.needs_content}


def towers(dataset, config):
    encoded = EncodedDataset.of(dataset)
    tf.keras.utils.set_random_seed(1)
    model = RetrievalModel(encoded, config)
    return RetrievalScorer(model, encoded.reader(config.history_length))


def scorer_of(name, dataset, config):
    if name == "retrieval":
        return towers(dataset, config)
    family = FAMILY[name]
    items = len(dataset.train_events)
    past = Past.of(dataset.events, dataset.split.test_start, items)
    return family.fit(past, **{name: v[0] for name, v in family.values.items()})


@pytest.mark.parametrize("name", [*FAMILY, "retrieval"])
def test_scores_as_of_a_moment_know_nothing_of_what_follows(
    name, simulated_dataset, simulated_shop
):
    config = simulated_shop.config.retrieval
    moment = simulated_dataset.split.test_start
    log = simulated_dataset.events
    question = ask(log, Target.ALL, moment, None)
    rows = slice(0, 50)

    def scores(changed):
        dataset = scrambled(simulated_dataset, changed)
        return scorer_of(name, dataset, config).scores(question, rows)

    later = log.timestamp >= moment
    truth = scores(np.zeros_like(later))
    np.testing.assert_array_equal(scores(later), truth)
    # The comparison can fail: the day before is known.
    day_before = (log.timestamp >= moment - 86400) & ~later
    assert np.abs(scores(day_before) - truth).max() > 0
