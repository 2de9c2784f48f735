"""Who knows the truth is the ceiling; what is learned comes between."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.simulated_shop import SIZE
from tfrs_app.evaluation.baselines import FAMILIES
from tfrs_app.evaluation.baselines.popular import fit_popular
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate
from tfrs_app.simulation.oracle import Oracle
from tfrs_app.simulation.truth import read_truth

K = 20


@pytest.fixture(scope="module")
def dataset(simulated_dataset):
    return simulated_dataset


@pytest.fixture(scope="module")
def oracle(simulated_shop, dataset):
    world = read_truth(simulated_shop.made.truth)
    ids = dataset.catalogue["item_id"]
    return Oracle(world, dataset.events, ids, SIZE.window_days)


def ndcg(scorer, question):
    return evaluate(scorer, question, (K,))[f"ndcg@{K}"]


def popularity(dataset, question):
    past = Past.of(dataset.events, question.moment_s, SIZE.items)
    return ndcg(fit_popular(past), question)


def question_of(dataset, target):
    return ask(dataset.events, target, dataset.split.test_start, dataset.split.test_end)


@dataclass
class Stranger:
    """Scores everybody by what the oracle knows of somebody else."""

    oracle: object
    others: np.ndarray

    def scores(self, question, rows):
        everybody = self.oracle.scores(question, slice(0, len(question.user)))
        return everybody[self.others][rows]


@pytest.mark.parametrize("target", list(Target))
def test_the_oracle_is_far_above_popularity(dataset, oracle, target):
    question = question_of(dataset, target)
    assert len(question.user) > 100
    assert ndcg(oracle, question) > 1.5 * popularity(dataset, question)


@pytest.mark.parametrize("target", list(Target))
def test_no_baseline_reaches_the_oracle(dataset, oracle, target):
    question = question_of(dataset, target)
    past = Past.of(dataset.events, question.moment_s, SIZE.items)
    best = ndcg(oracle, question)
    tried = [family for family in FAMILIES if not family.needs_content]
    assert len(tried) > 3
    for family in tried:
        first = {name: values[0] for name, values in family.values.items()}
        assert ndcg(family.fit(past, **first), question) < best


def test_the_oracle_knows_whom_it_answers(dataset, oracle):
    question = question_of(dataset, Target.FIRST_PURCHASE)
    others = np.random.default_rng(0).permutation(len(question.user))
    assert ndcg(Stranger(oracle, others), question) < 0.8 * ndcg(oracle, question)


def test_the_oracle_expects_what_is_bought(dataset, oracle):
    """Summed over everybody, the scores are the number of purchases to expect."""
    split, log = dataset.split, dataset.events
    question = question_of(dataset, Target.ALL)
    scores = oracle.scores(question, slice(0, len(question.user)))
    in_window = log.bought & log.span(split.test_start, split.test_end)
    bought = np.bincount(log.item[in_window], minlength=SIZE.items)
    assert np.corrcoef(scores.sum(axis=0), bought)[0, 1] > 0.8


def test_items_without_a_past_are_found_by_the_truth(dataset, oracle):
    """Launched in the test window: no event can tell, content and truth can."""
    log, split = dataset.events, dataset.split
    earlier = np.unique(log.item[log.span(None, split.test_start)])
    new = np.setdiff1d(np.unique(log.item), earlier)
    assert len(new) > 1
    scores = oracle.scores(question_of(dataset, Target.ALL), slice(0, 1))
    assert (scores[0, new] > 0).all()


@pytest.mark.slow
def test_two_towers_come_between_popularity_and_the_oracle(
    dataset, oracle, simulated_towers
):
    question = question_of(dataset, Target.FIRST_PURCHASE)
    found = ndcg(simulated_towers, question)
    assert 1.5 * popularity(dataset, question) < found
    assert found <= ndcg(oracle, question)
