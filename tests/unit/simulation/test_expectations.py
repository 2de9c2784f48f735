"""The closed forms against plain loops and against what was simulated."""

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest

from tests.simulated_shop import SIZE
from tfrs_app.simulation.expectations import (
    affinity,
    expected_purchases,
    expected_reorders,
)
from tfrs_app.simulation.seasons import draw_seasons
from tfrs_app.simulation.truth import read_truth

PLACES = [(place + 1) ** -0.7 for place in range(12)]


@pytest.fixture(scope="module")
def world(toy):
    return read_truth(toy.folder / "truth.npz")


def plain_affinity(truth, user, day):
    """Of one user, from the truth's arrays, by the definition."""
    taste, trait = truth["customers.taste"][user], truth["items.trait"]
    shown, viewed = [], []
    for item in range(len(trait)):
        match = sum(a * b for a, b in zip(taste, trait[item], strict=True))
        season = truth["season"][day][truth["items.category"][item]]
        trend = truth["items.trend"][item] * (day / SIZE.days - 0.5)
        general = truth["items.popularity"][item] + season + trend
        on_sale = truth["items.available"][day][item]
        shown.append(math.exp(1.8 * match + general) if on_sale else 0.0)
        viewed.append(1 / (1 + math.exp(1.5 - match)))
    answer = []
    for weight, attraction in zip(shown, viewed, strict=True):
        missed = 1.0
        for place in PLACES:
            missed *= 1 - weight / sum(shown) * place * attraction
        answer.append(1 - missed)
    return answer


@pytest.mark.parametrize(("user", "day"), [(0, 0), (17, 50), (599, 95)])
def test_affinity_is_its_definition(toy, world, user, day):
    found = affinity(world, np.array([user]), day)[0]
    expected = plain_affinity(toy.truth, user, day)
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def fits(observed, expected):
    """Whether counts agree with their expectations, over all items and each."""
    observed = np.array([observed[item] for item in range(len(expected))], float)
    chi = ((observed - expected) ** 2)[expected > 0] / expected[expected > 0]
    freedom = len(chi)
    assert (observed[expected == 0] == 0).all()
    return abs(chi.sum() - freedom) < 5 * (2 * freedom) ** 0.5 and chi.max() < 25


def test_the_views_of_each_item_agree_with_affinity(toy, world):
    sessions = {(row["list_id"], row["user_id"], row["day"]) for row in toy.impressions}
    expected = np.zeros(SIZE.items)
    for day in range(SIZE.days):
        users = np.array([user for _, user, when in sessions if when == day])
        expected += affinity(world, users, day).sum(axis=0)
    views = Counter(r["item_id"] for r in toy.events if r["event_type"] == "view")
    assert fits(views, expected)


def test_the_purchases_of_each_item_agree_with_their_expectation(toy, world):
    users = np.arange(SIZE.users)
    expected = expected_purchases(world, users, 0, SIZE.days).sum(axis=0)
    browsed = {row["list_id"] for row in toy.impressions}
    bought = Counter(
        row["item_id"]
        for row in toy.events
        if row["event_type"] == "purchase" and row["session_id"] in browsed
    )
    assert fits(bought, expected)


def test_what_is_bought_along_agrees_with_its_expectation(toy, world):
    users = np.arange(SIZE.users)
    alone = dataclasses.replace(
        world, behaviour=dataclasses.replace(world.behaviour, complement=0.0)
    )
    expected = sum(
        sign * expected_purchases(shop, users, 0, SIZE.days).sum()
        for shop, sign in ((world, 1), (alone, -1))
    )
    browsed = {row["list_id"] for row in toy.impressions}
    along = sum(
        row["event_type"] == "purchase" and row["position"] is None
        for row in toy.events
        if row["session_id"] in browsed
    )
    assert along > 100
    assert abs(along - expected) < 4 * expected**0.5


def test_each_category_has_a_season_of_its_own():
    season = draw_seasons(366, np.random.default_rng(0))
    assert season.shape == (366, 12)
    assert season.max(axis=0) == pytest.approx(0.8, abs=0.001)
    assert season.min(axis=0) == pytest.approx(-0.8, abs=0.001)
    assert len(set(season.argmax(axis=0))) > 6


def test_affinity_differs_between_users_and_days(world):
    first, second = affinity(world, np.array([0, 1]), 10)
    assert np.abs(first - second).max() > 0.05
    assert np.abs(first - affinity(world, np.array([0]), 80)[0]).max() > 0.01


def test_a_reorder_is_expected_when_its_interval_ends(world):
    item = int(np.flatnonzero(world.items.reorder_days >= 20)[0])
    usual = int(world.items.reorder_days[item])
    slack = int(usual * 0.1)
    lasting = int(np.flatnonzero(world.items.reorder_days == 0)[0])
    whole = (usual - slack, usual + slack + 1)

    def due(what, *span):
        return expected_reorders(world, np.array([what]), np.array([0]), *span)[0]

    assert due(item, *whole) == pytest.approx(0.6)
    assert due(item, usual, usual + 1) == pytest.approx(0.6 / (2 * slack + 1))
    assert due(item, 1, whole[0]) == 0
    assert due(item, whole[1], 96) == 0
    assert due(lasting, 0, 96) == 0


def test_complement_pairs_are_named_once(toy, world):
    partner = toy.truth["items.complement"]
    pairs = world.complement_pairs().tolist()
    assert len(pairs) == 15
    assert all(a < b and partner[a] == b for a, b in pairs)
