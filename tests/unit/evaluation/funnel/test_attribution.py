import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluation.funnel.worlds import (
    CANDIDATES,
    ITEM,
    ITEMS,
    ROWS,
    considered_of,
    question_of,
)
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.evaluation.funnel.attribution import (
    attribution_of,
    exact_shares,
    sources_of,
)

ALL_KNOWN = np.ones(ITEMS, bool)


def test_each_purchase_is_charged_to_the_stage_that_let_go_of_it():
    question = question_of([[0, 1, 2], [0, 3, 4]], excluded=[[], [4]])
    considered = considered_of(
        [{0: ["two_tower"], 1: ["repeat"]}, {3: ["popular"], 1: ["repeat"]}]
    )
    known = ALL_KNOWN.copy()
    known[2] = False
    lists = np.array([[1, 6], [1, -1]])
    found = attribution_of(question, lists, considered, known)
    assert {fate.value: n for fate, n in found.counts.items()} == {
        "not_in_catalogue": 1,  # user 0, item 2
        "barred": 1,  # user 1, item 4
        "not_proposed": 1,  # user 1, item 0, which only user 0 was proposed
        "ranked_low": 2,  # user 0, item 0; user 1, item 3
        "listed": 1,  # user 0, item 1
    }
    assert sum(found.shares.values()) == 1.0
    assert found.listable == 4  # two places each, three purchases


@given(st.lists(st.tuples(ROWS, ROWS, CANDIDATES, ROWS), max_size=4), st.sets(ITEM))
def test_fates_are_those_of_a_plain_loop(users, unknown):
    targets = [user[0] for user in users]
    excluded = [user[1] for user in users]
    candidates = [user[2] for user in users]
    lists = np.full((len(users), 4), -1)
    for number, user in enumerate(users):
        lists[number, : len(user[3])] = user[3]
    known = np.array([item not in unknown for item in range(ITEMS)])
    expected = dict.fromkeys(
        ("not_in_catalogue", "barred", "not_proposed", "ranked_low", "listed"), 0
    )
    for wanted, barred, proposals, listed in zip(
        targets, excluded, candidates, (user[3] for user in users), strict=True
    ):
        for item in wanted:
            if item in listed:
                expected["listed"] += 1
            elif item in unknown:
                expected["not_in_catalogue"] += 1
            elif item in barred:
                expected["barred"] += 1
            elif item not in proposals:
                expected["not_proposed"] += 1
            else:
                expected["ranked_low"] += 1
    found = attribution_of(
        question_of(targets, excluded), lists, considered_of(candidates), known
    )
    assert {fate.value: count for fate, count in found.counts.items()} == expected


@given(st.lists(st.tuples(ROWS, CANDIDATES), min_size=1, max_size=4))
def test_recall_of_sources_is_that_of_a_plain_loop(users):
    found = sources_of(
        question_of([wanted for wanted, _ in users]),
        considered_of([candidates for _, candidates in users]),
    )
    purchases = [(item, have) for wanted, have in users for item in wanted]
    assert list(found) == [*SOURCES, "all"]
    for name in SOURCES:
        held = [item for item, have in purchases if name in have.get(item, ())]
        alone = [item for item, have in purchases if have.get(item) == {name}]
        number = sum(name in names for _, have in users for names in have.values())
        assert found[name].recall == pytest.approx(len(held) / len(purchases))
        assert found[name].alone == pytest.approx(len(alone) / len(purchases))
        assert found[name].candidates == pytest.approx(number / len(users))
    union = [item for item, have in purchases if item in have]
    assert found["all"].recall == pytest.approx(len(union) / len(purchases))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6), st.randoms())
def test_shares_add_up_to_one_in_any_order(counts, order: random.Random):
    shares = exact_shares(counts)
    total = sum(counts)
    shuffled = order.sample(shares, len(shares))
    assert sum(shuffled) == (1.0 if total else 0.0)
    for share, count in zip(shares, counts, strict=True):
        exact = Fraction(count, total) if total else 0
        assert abs(share - exact) < 1e-8
        assert (share == 0) == (count == 0)
