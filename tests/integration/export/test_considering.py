"""The candidates of the module are those behind the SavedModel's lists."""

from dataclasses import replace

import numpy as np
import pytest

from tests.integration.export.test_recommender import FULL, HISTORY
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.evaluation.funnel.probe import FunnelProbe
from tfrs_app.evaluation.metrics import hits_of
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.requests import Requests
from tfrs_app.evaluation.served import ServedFunnel, ServedLists
from tfrs_app.export.considering import Considering

K = 15


@pytest.fixture(scope="module")
def question(toy_encoded):
    dataset = toy_encoded.dataset
    asked = ask(dataset.events, Target.FIRST_PURCHASE, dataset.split.test_start, None)
    return asked.of(np.arange(len(asked.user)) % 4 == 0)  # two requests


@pytest.fixture(scope="module")
def requests(toy_encoded, toy_model):
    return Requests(toy_encoded.dataset, toy_model.config.longest_history)


@pytest.fixture
def funnel(ranked, requests):
    known = np.ones(len(ranked.ids), bool)
    probe = FunnelProbe(requests, Considering(ranked.recommender), known)
    return ServedFunnel(ServedLists(ranked.folder, requests), probe)


def same_up_to_ties(found, lists, considered):
    """Lists may differ where two scores are equal to the last bits of float32."""
    assert found.shape == lists.shape
    for one, other, row, score in zip(
        found, lists, considered.row, considered.score, strict=True
    ):
        scores = dict(zip(row.tolist(), score.tolist(), strict=True))
        np.testing.assert_allclose(
            [scores[item] for item in one], [scores[item] for item in other], rtol=1e-4
        )


def test_the_best_candidates_are_what_the_saved_model_lists(funnel, question):
    considered = funnel.probe.considered(question, K)
    lists = funnel.lists(question, K)
    assert (lists >= 0).all()
    same_up_to_ties(considered.best(K), lists, considered)
    # The comparison can fail: the second best are others.
    assert (considered.best(K + 5)[:, 5:] != lists).any()


def test_candidates_are_distinct_and_somebodys(funnel, question):
    considered = funnel.probe.considered(question, K)
    for user, (row, proposed) in enumerate(
        zip(considered.row, considered.proposed, strict=True)
    ):
        real = row[row >= 0]
        assert len(set(real.tolist())) == len(real)
        assert proposed[row >= 0].any(axis=1).all()
        assert not proposed[row < 0].any()
        barred = question.excluded.rows(slice(user, user + 1))[1]
        assert not set(real.tolist()) & set(barred.tolist())
    towers = considered.proposed[..., SOURCES.index("two_tower")].sum(axis=1)
    assert (towers >= 20).all()  # configs/smoke.yaml
    assert not hits_of(considered.row, *parts(question.excluded)).any()


def parts(sets):
    return sets.splits, sets.items


def test_the_told_source_is_one_of_those_that_proposed(ranked):
    answer = ranked.ask("recommend", **FULL, k=30)
    inputs = {name: np.array(value, object) for name, value in FULL.items()}
    inputs["k"] = np.array(30)
    given = {name: plain(value) for name, value in inputs.items()}
    found = Considering(ranked.recommender)(given)
    for item, source in zip(answer["item_id"][0], answer["source"][0], strict=True):
        place = found["candidate_row"][0].tolist().index(ranked.ids.index(item))
        assert found["proposed"][0, place, SOURCES.index(source.decode())]
    own = [ranked.ids.index(item.encode()) for item in HISTORY if item]
    repeat = found["proposed"][0, :, SOURCES.index("repeat")]
    assert set(found["candidate_row"][0][repeat].tolist()) == set(own)


def plain(value):
    """Strings as objects, numbers as numbers."""
    return value if isinstance(value.flat[0], str) else value.astype(float)


def test_among_some_items_it_lists_what_a_request_without_the_others_gets(
    funnel, ranked, question
):
    random = np.random.default_rng(3)
    allowed = random.random(len(ranked.ids)) < 0.05
    allowed[question.excluded.items] = False
    asked = question.of(np.arange(len(question.user)) < 8)
    lists = funnel.lists(replaced(asked, allowed), K)
    others = [ranked.ids[row].decode() for row in np.flatnonzero(~allowed)]
    (given,) = funnel.probe.requests.of(asked, K)
    given = {name: value.tolist() for name, value in given.items() if name != "exclude"}
    answer = ranked.ask("recommend", **given, exclude=[others])
    served = [[ranked.ids.index(item) for item in row] for row in answer["item_id"]]
    considered = funnel.probe.considered(replaced(asked, allowed), K)
    same_up_to_ties(lists, np.array(served), considered)
    assert allowed[lists].all()


def replaced(question, candidates):
    return replace(question, candidates=candidates)
