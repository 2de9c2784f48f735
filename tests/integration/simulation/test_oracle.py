"""Who knows the truth is the ceiling; what is learned comes between."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.simulated_shop import SIZE
from tfrs_app.evaluation.baselines import BASELINES, Popular, tune
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import evaluate
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.simulation.oracle import Oracle
from tfrs_app.simulation.truth import read_truth
from tfrs_app.training.retrieval import load_retrieval, train_retrieval

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
    popular = ndcg(Popular(dataset.events, SIZE.items), question)
    assert ndcg(oracle, question) > 1.5 * popular


@pytest.mark.parametrize("target", list(Target))
def test_no_baseline_reaches_the_oracle(dataset, oracle, target):
    question, split = question_of(dataset, target), dataset.split
    validation = ask(dataset.events, target, split.validation_start, split.test_start)
    best = ndcg(oracle, question)
    for baseline in BASELINES:
        chosen = tune(baseline, validation, dataset.events, SIZE.items, K)
        assert (
            ndcg(baseline.make(dataset.events, SIZE.items, **chosen), question) < best
        )


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
    dataset, oracle, simulated_shop, tmp_path
):
    config = simulated_shop.config.retrieval.model_copy(
        update={
            "batch_size": 256,
            "uniform_negatives": 64,
            "embedding_dim": 32,
            "epochs": 6,
            "learning_rate": 0.005,
        }
    )
    encoded = EncodedDataset.of(dataset)
    train_retrieval(encoded, config, tmp_path / "run", lambda line: None)
    model = load_retrieval(tmp_path / "run", encoded)
    scorer = RetrievalScorer(model, encoded.reader(config.history_length))
    question = question_of(dataset, Target.FIRST_PURCHASE)
    found = ndcg(scorer, question)
    assert 1.5 * ndcg(Popular(dataset.events, SIZE.items), question) < found
    assert found <= ndcg(oracle, question)
