"""What the tables show, against the design: plain loops over rows and the truth."""

from collections import Counter, defaultdict

import numpy as np
import pytest

POSITION_EXPONENT, CART, PURCHASE, COMPLEMENT, REORDER = 0.7, 0.4, 0.6, 0.3, 0.6
JITTER = 0.1
SIGMAS = 4


def is_share(hits, trials, expected):
    """Whether a share is within some standard errors of a probability."""
    error = (expected * (1 - expected) / trials) ** 0.5
    return abs(hits / trials - expected) < SIGMAS * error


def by_kind(toy, kind):
    return [row for row in toy.events if row["event_type"] == kind]


def test_the_tables_are_those_of_a_shop(toy):
    assert len(toy.items) == 150
    assert len(toy.users) == 600
    assert [row["item_id"] for row in toy.items] == list(range(150))
    times = [row["timestamp"] for row in toy.events]
    assert times == sorted(times)
    assert toy.events[0]["day"] >= 0
    assert toy.events[-1]["day"] <= 95
    prices = [row["price"] for row in toy.items]
    assert all(row["price"] == prices[row["item_id"]] > 0 for row in toy.events)
    assert {row["segment"] is None for row in toy.users} == {True, False}


def test_nothing_happens_to_an_item_before_its_launch_or_out_of_stock(toy):
    available, launch = toy.truth["items.available"], toy.truth["items.launch_day"]
    assert (~available).sum() > 100
    assert (launch > 60).any()
    for row in [*toy.events, *toy.impressions]:
        assert row["day"] >= launch[row["item_id"]]
        assert available[row["day"], row["item_id"]]


def test_out_of_stock_is_not_the_same_as_not_launched(toy):
    available, launch = toy.truth["items.available"], toy.truth["items.launch_day"]
    out = [
        (day, item)
        for day, item in zip(*np.nonzero(~available), strict=True)
        if day >= launch[item]
    ]
    assert 0.01 < len(out) / available.size < 0.2


def test_clicks_fall_with_the_position_as_designed(toy):
    shown, clicked = Counter(), Counter()
    for row in toy.impressions:
        shown[row["position"]] += 1
        clicked[row["position"]] += row["clicked"]
    assert sorted(shown) == list(range(12))
    # Place and relevance are independent, so only the look at the place differs.
    attraction = clicked[0] / shown[0]
    for place in range(1, 12):
        expected = attraction * (place + 1) ** -POSITION_EXPONENT
        assert is_share(clicked[place], shown[place], expected), place


def test_clicks_grow_with_relevance(toy):
    taste, trait = toy.truth["customers.taste"], toy.truth["items.trait"]
    match = taste @ trait.T
    first = [row for row in toy.impressions if row["position"] == 0]
    fits = sorted(first, key=lambda row: match[row["user_id"], row["item_id"]])
    third = len(fits) // 3
    low, high = (
        sum(row["clicked"] for row in part) / third
        for part in (fits[:third], fits[-third:])
    )
    assert high > 1.3 * low


def test_views_become_carts_and_carts_purchases_with_the_designed_probabilities(toy):
    clicked = {
        kind: sum(row["position"] is not None for row in by_kind(toy, kind))
        for kind in ("view", "cart", "purchase")
    }
    assert clicked["view"] > 5000
    assert is_share(clicked["cart"], clicked["view"], CART)
    assert is_share(clicked["purchase"], clicked["cart"], PURCHASE)


def test_every_cart_was_viewed_and_a_session_sees_an_item_once(toy):
    seen = defaultdict(set)
    for row in toy.events:
        key = (row["session_id"], row["item_id"])
        assert key not in seen[row["event_type"]]
        seen[row["event_type"]].add(key)
    assert seen["cart"] < seen["view"]


def test_views_are_the_clicked_impressions(toy):
    clicked = {
        (row["list_id"], row["item_id"], row["user_id"])
        for row in toy.impressions
        if row["clicked"]
    }
    views = {
        (row["session_id"], row["item_id"], row["user_id"])
        for row in by_kind(toy, "view")
    }
    assert views == clicked


def test_a_session_is_one_users_and_its_purchases_are_one_moment(toy):
    users, moments = defaultdict(set), defaultdict(set)
    for row in toy.events:
        users[row["session_id"]].add(row["user_id"])
        if row["event_type"] == "purchase":
            moments[row["session_id"]].add(row["timestamp"])
        else:
            assert row["event_type"] in ("view", "cart")
    assert all(len(found) == 1 for found in (*users.values(), *moments.values()))
    for row in toy.events:
        (moment,) = moments.get(row["session_id"]) or {row["timestamp"]}
        assert row["timestamp"] <= moment


def test_complements_are_bought_along_with_the_designed_probability(toy):
    partner = toy.truth["items.complement"]
    paired = np.flatnonzero(partner >= 0)
    assert len(paired) == 30
    assert (partner[partner[paired]] == paired).all()
    available = toy.truth["items.available"]
    baskets = defaultdict(dict)
    for row in by_kind(toy, "purchase"):
        baskets[row["session_id"]][row["item_id"]] = row
    chances = along = 0
    for basket in baskets.values():
        for item, row in basket.items():
            other = partner[item]
            if row["position"] is None or other < 0:
                continue  # bought along, or again, itself
            if not available[row["day"], other]:
                continue
            if other in basket and basket[other]["position"] is not None:
                continue  # was clicked, so it was there already
            chances += 1
            along += other in basket
    assert chances > 100
    assert is_share(along, chances, COMPLEMENT)


def reorders(toy):
    """Purchases in sessions in which nothing was viewed."""
    browsed = {row["list_id"] for row in toy.impressions}
    return [row for row in toy.events if row["session_id"] not in browsed]


def test_reorders_are_of_consumables_after_their_interval(toy):
    interval = toy.truth["items.reorder_days"]
    bought = defaultdict(set)
    for row in by_kind(toy, "purchase"):
        bought[row["user_id"], row["item_id"]].add(row["day"])
    found = reorders(toy)
    assert len(found) > 100
    for row in found:
        usual = int(interval[row["item_id"]])
        assert usual > 0
        slack = int(usual * JITTER)
        days = bought[row["user_id"], row["item_id"]]
        gaps = {row["day"] - day for day in days}
        assert gaps & set(range(usual - slack, usual + slack + 1))


def test_consumables_are_bought_again_with_the_designed_probability(toy):
    interval, available = toy.truth["items.reorder_days"], toy.truth["items.available"]
    purchases = by_kind(toy, "purchase")
    expected = 0.0
    for row in purchases:
        usual = int(interval[row["item_id"]])
        if usual:
            slack = int(usual * JITTER)
            days = range(row["day"] + usual - slack, row["day"] + usual + slack + 1)
            open_ = [d < 96 and available[d, row["item_id"]] for d in days]
            expected += REORDER * sum(open_) / len(open_)
    assert abs(len(reorders(toy)) - expected) < SIGMAS * expected**0.5


def test_the_week_and_late_customers_show(toy):
    sessions = {(row["list_id"], row["day"]) for row in toy.impressions}
    a_day = Counter(day for _, day in sessions)
    saturdays = np.mean([a_day[day] for day in range(5, 96, 7)])
    mondays = np.mean([a_day[day] for day in range(0, 96, 7)])
    assert 1.2 < saturdays / mondays < 1.7  # 1.3 / 0.9
    joined = toy.truth["customers.joined_day"]
    assert (joined > 0).sum() > 100
    for row in toy.impressions:
        assert row["day"] >= joined[row["user_id"]]


@pytest.mark.parametrize(("part", "least"), [("category", 0.3), ("words", 0.05)])
def test_content_predicts_traits(toy, part, least):
    trait = toy.truth["items.trait"][:, :8]
    words = toy.truth["items.words"]
    category = toy.truth["items.category"]
    alike = []
    for a in range(150):
        for b in range(a):
            same = category[a] == category[b]
            shared = len(set(words[a]) & set(words[b]))
            if (part == "category" and same) or (part == "words" and shared):
                alike.append(trait[a] @ trait[b] / 8)
    assert np.mean(alike) > least


def test_the_text_tells_words_and_category(toy):
    for row in toy.items:
        assert row["description"].split()[-1] == row["category"]
        assert len(row["description"].split()) == 4
