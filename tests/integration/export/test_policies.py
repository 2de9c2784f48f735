"""What a shop decides beside the scores: places for new items, true complements."""

import numpy as np
import pytest

from tests.integration.export.conftest import MOMENT, tensor
from tests.integration.export.test_recommender import HISTORY
from tfrs_app.contract.config import ExportConfig
from tfrs_app.export.publish import build_recommender

NOW = {"timestamp": [MOMENT], "history_item_id": [HISTORY]}


def built(model, encoded, ranker, **settings):
    config = ExportConfig(index="exact", warmup_requests=0, **settings)
    recommender, _ = build_recommender(model, encoded, config, ranker)
    signatures = recommender.signatures()

    def ask(signature, **inputs):
        given = {name: tensor(name, value) for name, value in inputs.items()}
        answer = signatures[signature](**given)
        return {name: value.numpy() for name, value in answer.items()}

    return ask


@pytest.fixture(scope="module")
def plain(toy_model, toy_encoded, toy_ranker):
    return built(toy_model, toy_encoded, toy_ranker)


@pytest.fixture(scope="module")
def exploring(toy_model, toy_encoded, toy_ranker):
    return built(toy_model, toy_encoded, toy_ranker, explore_new=0.2)


def test_the_last_places_are_for_new_items(plain, exploring):
    before = plain("recommend", **NOW, k=10)
    after = exploring("recommend", **NOW, k=10)
    assert b"new" not in before["source"][0].tolist()
    assert after["source"][0].tolist()[8:] == [b"new", b"new"]
    assert after["item_id"][0, :8].tolist() == before["item_id"][0, :8].tolist()
    assert len(set(after["item_id"][0])) == 10
    assert after["score"][0, 8] >= after["score"][0, 9]


def test_short_lists_have_no_place_to_spare(plain, exploring):
    before, after = (ask("recommend", **NOW, k=4) for ask in (plain, exploring))
    assert before["item_id"].tolist() == after["item_id"].tolist()


def test_who_made_way_is_told_so(plain, exploring):
    items = [i.decode() for i in plain("recommend", **NOW, k=10)["item_id"][0]]
    told = exploring("explain", item_id=[items], **NOW, k=10)
    fates = told["fate"][0].tolist()
    assert fates == [b"listed"] * 8 + [b"made_way"] * 2


def test_complements_are_no_substitutes(plain, toy_model, toy_encoded, toy_ranker):
    differing = built(
        toy_model, toy_encoded, toy_ranker, complements_differ_in="colour"
    )
    colour = toy_encoded.dataset.catalogue["colour"]
    ids = toy_encoded.dataset.catalogue["item_id"].tolist()
    pairs = toy_encoded.dataset.co_purchases
    owner = int(np.flatnonzero(np.diff(pairs.row_splits))[0])

    def partners(ask):
        answer = ask("complete_basket", basket_item_id=[[ids[owner]]], k=50)
        return [item for item in answer["item_id"][0].tolist() if item]

    everything = partners(plain)
    assert everything
    other = [i for i in everything if colour[ids.index(i)] != colour[owner]]
    assert partners(differing) == other
    assert len(other) < len(everything)
