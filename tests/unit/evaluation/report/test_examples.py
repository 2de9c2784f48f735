from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import log_of
from tests.unit.evaluation.report.documents import metrics
from tfrs_app.contract.features import FeatureSpec
from tfrs_app.evaluation.comparison import Comparison
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.report import page
from tfrs_app.evaluation.report.examples import (
    Entry,
    Event,
    compared,
    drawn,
    examples_of,
)
from tfrs_app.evaluation.results import Result
from tfrs_app.evaluation.significance import Difference, Interval
from tfrs_app.evaluation.verdicts import Verdict

DAY = 86400
NAMES = [b"tea", b"milk", b"soap", b"bread", b"jam"]
TEA, MILK, SOAP, BREAD, JAM = range(5)
VIEW, BUY = 0, 1
MOMENT = 10 * DAY
LOG = log_of(
    [
        [(1 * DAY, TEA, BUY), (2 * DAY, SOAP, VIEW), (11 * DAY, JAM, BUY),
         (11 * DAY, TEA, BUY)],
        [(3 * DAY, MILK, BUY), (12 * DAY, BREAD, BUY)],
        [(4 * DAY, MILK, VIEW), (12 * DAY, MILK, BUY)],
    ]
)  # fmt: skip
TITLE = {"name": "title", "role": "candidate", "kind": "text"}


def dataset(features=(TITLE,)):
    spec = {"features": features, "event_weights": {"view": 0.5, "purchase": 1.0}}
    return SimpleNamespace(
        spec=FeatureSpec.model_validate(spec),
        events=LOG,
        catalogue={
            "item_id": np.array([b"i%d" % n for n in range(5)], object),
            "title": np.array(NAMES, object),
        },
    )


def results(model, lists, ndcg, log=LOG):
    """The same lists on both targets."""
    found = []
    for target in Target:
        question = ask(log, target, MOMENT, None)
        found.append(
            Result(
                model=model,
                target=target,
                metrics={"ndcg@20": ndcg},
                parameters={},
                question=question,
                lists=np.array(lists)[: len(question.user)],
                per_user={},
            )
        )
    return found


def verdict(rival, target, best, metric="ndcg@20"):
    difference = Difference(0.1, Interval(0, 1), None, None)
    return Verdict("retrieval", rival, target, metric, difference, best)


def comparison():
    ours = [[JAM, SOAP, -1], [TEA, SOAP, -1], [TEA, MILK, BREAD]]
    theirs = [[SOAP, MILK, BREAD], [BREAD, TEA, SOAP], [TEA, BREAD, SOAP]]
    worse = [[MILK, -1, -1]] * 3
    return Comparison(
        [
            *results("worse", worse, 0.3),
            *results("rival", theirs, 0.2),
            *results("retrieval", ours, 0.1),
        ],
        [
            verdict(name, target, best=name == "rival")
            for target in Target
            for name in ("worse", "rival")
        ],
    )


def test_the_model_is_shown_against_the_best_baseline_on_first_purchases():
    shown = compared(comparison())
    assert [result.model for result in shown] == ["retrieval", "rival"]
    assert {result.target for result in shown} == {Target.FIRST_PURCHASE}


def test_without_first_purchases_the_other_target_is_shown():
    log = log_of([[(1 * DAY, TEA, BUY), (11 * DAY, TEA, BUY)]])
    rows = results("retrieval", [[TEA, MILK]], 0.1, log)
    rows += results("rival", [[SOAP, TEA]], 0.2, log)
    assert len(rows[1].question.user) == 0
    judged = [verdict("rival", Target.ALL, best=True)]
    shown = compared(Comparison(rows, judged))
    assert [(r.model, r.target) for r in shown] == [
        ("retrieval", Target.ALL), ("rival", Target.ALL),
    ]  # fmt: skip


def test_without_verdicts_one_list_is_shown():
    rows = results("popular", [[TEA]] * 3, 0.1)
    assert [r.model for r in compared(Comparison(rows, []))] == ["popular"]


def test_histories_end_before_the_window_and_hits_are_what_was_then_bought():
    found = examples_of(dataset(), comparison(), seed=5)
    assert found.users == 3
    assert found.seed == 5
    assert found.several_types
    assert found.models == ("retrieval", "rival")
    # Of the first purchases of JAM, BREAD and MILK ours lists the first and the third.
    assert found.hit_share == pytest.approx(2 / 3)
    assert not found.replaced
    customers = {customer.history: customer for customer in found.customers}
    assert len(customers) == 3
    first = customers[
        Event("1970-01-03", "view", "soap"), Event("1970-01-02", "purchase", "tea")
    ]
    assert first.events == 2
    assert first.lists == (
        (Entry("jam", hit=True), Entry("soap", hit=False)),
        (Entry("soap", hit=False), Entry("milk", hit=False), Entry("bread", hit=False)),
    )
    assert first.bought == 1
    assert first.then == (Entry("jam", hit=True),)
    third = customers[(Event("1970-01-05", "view", "milk"),)]
    assert third.then == (Entry("milk", hit=True),)
    assert [entry.hit for entry in third.lists[0]] == [False, True, False]


def test_without_a_text_feature_items_are_called_by_their_ids():
    found = examples_of(dataset(features=()), comparison(), seed=5)
    texts = {entry.text for customer in found.customers for entry in customer.then}
    assert texts == {"i1", "i3", "i4"}


def test_no_user_id_is_on_the_page():
    text = page("tiny", metrics(), examples_of(dataset(), comparison(), seed=5))
    for user_id in LOG.user_id:
        assert f">{user_id.decode()}<" not in text
        assert f" {user_id.decode()} " not in text


def test_much_to_show_is_cut():
    items = 40
    before = [(day * DAY, day % items, BUY) for day in range(9)] * 2
    after = [(11 * DAY, item, BUY) for item in range(10, items)]
    log = log_of([sorted(before) + after] * 20)
    lists = [list(range(30, 40)) + list(range(10))] * 20
    rows = results("retrieval", lists, 0.1, log)
    long = np.array([b"<" * 100_000] * items, object)
    shop = dataset()
    shop.events = log
    shop.catalogue = {"title": long, "item_id": long}
    found = examples_of(shop, Comparison(rows, []), seed=1)
    assert len(found.customers) == 6
    for customer in found.customers:
        assert customer.events == 18
        assert [event.date[-2:] for event in customer.history] == [
            "09", "09", "08", "08", "07", "07", "06", "06", "05", "05",
        ]  # fmt: skip
        assert len(customer.lists[0]) == 10
        assert customer.bought == 30
        assert len(customer.then) == 12
        assert [entry.hit for entry in customer.then] == [True] * 10 + [False] * 2
    assert len(page("tiny", metrics(), found)) < 1_000_000
    late = results("retrieval", [[*range(10), *range(30, 40)]] * 20, 0.1, log)
    assert found.hit_share == 1
    assert examples_of(shop, Comparison(late, []), seed=1).hit_share == 0


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 99))
def test_both_fates_are_drawn_where_there_are_both(hits, seed):
    chosen, replaced = drawn(np.array(hits), seed, count=4)
    assert len(chosen) == len(set(chosen)) == min(4, len(hits))
    assert {hits[user] for user in chosen} == set(hits)
    order = np.random.default_rng(seed).permutation(len(hits)).tolist()
    assert chosen[:3] == order[:3]  # only the last may give place
    assert replaced == (chosen != order[:4])
    assert (chosen, replaced) == drawn(np.array(hits), seed, count=4)


def test_the_first_with_the_missing_fate_replaces_the_last():
    hits = np.zeros(50, bool)
    order = np.random.default_rng(3).permutation(50)
    hits[order[[20, 30]]] = True
    chosen, replaced = drawn(hits, seed=3)
    assert replaced
    assert chosen == [*order[:5], order[20]]
