"""A ranker's training: what it learns from and what comes back from disk."""

from dataclasses import replace

import numpy as np
import pytest

from tfrs_app.contract.artifacts import read_manifest
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.models.funnel import Funnel
from tfrs_app.models.item_state import ItemKnowledge
from tfrs_app.training.ranking import RankingTraining
from tfrs_app.training.ranking_examples import ranking_examples
from tfrs_app.training.ranking_lists import ListMaker
from tfrs_app.training.runs import EARLIER_WEIGHTS, load_ranking, load_retrieval

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stages(toy_run):
    return toy_run.stages


@pytest.fixture(scope="module")
def towers(stages):
    return load_retrieval(stages.run_folder, stages.encoded, weights=EARLIER_WEIGHTS)


@pytest.fixture(scope="module")
def examples(stages, towers):
    ranking = stages.config.ranking
    return ranking_examples(stages.encoded, towers, ranking)


def test_a_loaded_ranker_measures_what_its_training_did(stages, examples):
    training = RankingTraining(stages.encoded, stages.config.ranking, examples)
    training.model = load_ranking(
        stages.ranking_folder, stages.encoded, stages.run_folder.name
    )
    recorded = read_manifest(stages.ranking_folder).counts
    for name, value in training.measured().items():
        assert value == pytest.approx(recorded[name], abs=1e-4)


def test_towers_after_the_catch_up_are_others(stages, towers):
    caught_up = stages.towers
    pairs = zip(
        caught_up.query_tower.variables, towers.query_tower.variables, strict=True
    )
    assert any(not np.allclose(a.numpy(), b.numpy()) for a, b in pairs)


def test_held_out_users_never_train(examples):
    assert not set(examples.training.user) & set(examples.held_out.user)
    assert len(set(examples.held_out.user)) > 20


def test_lists_are_made_of_all_that_is_configured(examples):
    lists = examples.training
    bits = lists.features[..., -1 - len(SOURCES) : -1]
    asked = [name for place, name in enumerate(SOURCES) if bits[..., place].any()]
    # These events stand in no session, so few items are known to go together.
    assert set(asked) >= {"two_tower", "repeat", "popular"}
    assert (lists.weight[lists.row < 0] == 0).all()
    assert not lists.label[lists.row < 0].any()


def made_at(stages, moment_s, events):
    dataset = replace(stages.encoded.dataset)
    dataset.__dict__["events"] = events
    encoded = replace(stages.encoded, dataset=dataset)
    towers = load_retrieval(stages.run_folder, encoded, weights=EARLIER_WEIGHTS)
    ranking = stages.config.ranking
    knowledge = ItemKnowledge(towers, encoded, ranking)
    knowledge.refresh(moment_s)
    funnel = Funnel(encoded, towers.query_tower, knowledge.state, ranking)
    reader = encoded.reader(towers.config.longest_history)
    maker = ListMaker(funnel, reader, events, [0, 1])
    users = np.flatnonzero(events.before(moment_s) > events.row_splits[:-1])[:32]
    (lists,) = maker.made(users, moment_s, moment_s + 10**6, new_only=False)
    return lists


def test_candidates_and_features_know_nothing_of_what_follows(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    later = log.timestamp >= moment_s
    random = np.random.default_rng(1)
    items = np.where(later, random.permutation(log.item), log.item)
    other = replace(log, item=items.astype(log.item.dtype))
    now, then = made_at(stages, moment_s, log), made_at(stages, moment_s, other)
    np.testing.assert_array_equal(now.row, then.row)
    np.testing.assert_allclose(now.features, then.features, atol=2e-3)
    assert (now.label != then.label).any()


def test_labels_are_what_happened_within_the_horizon(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    lists = made_at(stages, moment_s, log)
    within = (log.timestamp >= moment_s) & (log.timestamp < moment_s + 10**6)
    for task in (0, 1):
        happened = within & (log.event_type == task)
        pairs = set(zip(log.user[happened], log.item[happened], strict=True))
        for user, row, label in zip(
            lists.user, lists.row, lists.label[..., task], strict=True
        ):
            assert [(user, item) in pairs for item in row] == label.tolist()


def test_a_ranker_of_other_towers_is_refused(stages):
    with pytest.raises(ArtifactError, match=r"was trained on towers .* train again"):
        load_ranking(stages.ranking_folder, stages.encoded, "0" * 12)


def test_a_span_without_labels_is_refused(stages, towers):
    ranking = stages.config.ranking.model_copy(update={"horizon_days": 1e-9})
    with pytest.raises(DataError, match="nothing that the sources propose"):
        ranking_examples(stages.encoded, towers, ranking)
