"""What `evaluate` tells of the funnel of the toy shop, beside the results."""

import json
from collections import Counter

import numpy as np
import pytest

from tfrs_app.training.held_out import held_out_lists
from tfrs_app.training.runs import EARLIER_WEIGHTS, load_retrieval

TARGETS = ("all", "first_purchase")


@pytest.fixture(scope="module")
def document(toy_run):
    return json.loads(toy_run.stages.metrics_file.read_text(encoding="utf-8"))


def row_of(document, model, target):
    (row,) = (
        r for r in document["results"] if (r["model"], r["target"]) == (model, target)
    )
    return row


def purchases_of(stages):
    """Who bought what in the test window, with an event before it, and had before."""
    dataset = stages.encoded.dataset
    log, start_s = dataset.events, dataset.split.test_start
    known, had, bought = set(), set(), set()
    for user in range(log.users):
        for place in range(log.row_splits[user], log.row_splits[user + 1]):
            pair = (user, int(log.item[place]))
            sale = dataset.spec.event_types[log.event_type[place]] == "purchase"
            if log.timestamp[place] < start_s:
                known.add(user)
                had |= {pair} if sale else set()
            elif sale:
                bought.add(pair)
    bought = {pair for pair in bought if pair[0] in known}
    return bought, bought - had


def test_every_purchase_of_the_window_has_one_fate(document, toy_run):
    for target, pairs in zip(TARGETS, purchases_of(toy_run.stages), strict=True):
        found = row_of(document, "funnel", target)["funnel"]["attribution"]
        assert found["purchases"] == len(pairs) == sum(found["counts"].values())
        assert sum(found["shares"].values()) == 1.0
        for fate, count in found["counts"].items():
            assert found["shares"][fate] == pytest.approx(count / len(pairs))
        assert found["counts"]["listed"] > 0
        buyers = Counter(user for user, _ in pairs)
        assert found["listable"] == sum(min(10, n) for n in buyers.values())
        assert found["counts"]["barred"] == found["counts"]["not_in_catalogue"] == 0


def test_what_is_proposed_is_what_is_not_lost_before_ranking(document):
    for target in TARGETS:
        inside = row_of(document, "funnel", target)["funnel"]
        shares, sources = inside["attribution"]["shares"], inside["sources"]
        proposed = shares["ranked_low"] + shares["listed"]
        assert sources["all"]["recall"] == pytest.approx(proposed, abs=1e-6)
        assert all(one["recall"] <= proposed + 1e-6 for one in sources.values())


def test_customers_shown_whole_are_those_of_the_results(document):
    """The sample holds everybody here, so the figures must be the same."""
    for target in TARGETS:
        few = document["few_events"][target]
        assert few["users"] == document["protocol"]["users"][target]
        rows = {(row["model"], row["events"]): row for row in few["rows"]}
        for model in ("popular", "tfidf_profile", "retrieval"):
            whole = row_of(document, model, target)
            for metric in ("ndcg@10", "recall@10"):
                assert rows[model, None][metric] == pytest.approx(whole[metric])
        for model in ("funnel", "retrieval", "tfidf_profile"):
            assert rows[model, 0]["ndcg@10"] < rows[model, None]["ndcg@10"]
        assert len({rows["popular", n]["ndcg@10"] for n in (0, 1, 3, None)}) == 1


def test_the_curve_and_the_stages_are_of_one_sample(document):
    for target in TARGETS:
        inside = row_of(document, "funnel", target)["funnel"]
        first, *others = inside["diversity_curve"]
        assert (first["diversity"], len(others)) == (0.0, 5)
        assert {point["ndcg@10"] for point in others} != {first["ndcg@10"]}
        stages = inside["stages"]
        for name, point in (("ranked", first), ("diversified", others[2])):
            assert stages[name]["gini"] == pytest.approx(point["gini@10"])
            assert stages[name]["entries"] == 10
        assert stages["purchases"]["head"]["0.2"] == 1.0  # all of the popular hundred


def test_new_items_are_ranked_by_the_funnel_too(document):
    for target in TARGETS:
        assert set(row_of(document, "funnel", target)["slices"]) == set(
            row_of(document, "retrieval", target)["slices"]
        )


def test_probabilities_are_of_each_task_and_place(document):
    found = {(one["where"], one["task"]): one for one in document["probabilities"]}
    assert set(found) == {
        (where, task) for where in ("held_out", "test") for task in ("view", "purchase")
    }
    for one in found.values():
        weights = [row["weight"] for row in one["bins"]]
        assert sum(weights) == one["candidates"]
        said = np.average([row["probability"] for row in one["bins"]], weights=weights)
        came = np.average([row["happened"] for row in one["bins"]], weights=weights)
        assert said == pytest.approx(one["expected"], rel=1e-4)
        assert came == pytest.approx(one["happened"], rel=1e-4)
    for task in ("view", "purchase"):  # which it was calibrated on
        fitted = found["held_out", task]
        assert fitted["expected"] == pytest.approx(fitted["happened"], rel=0.15)


@pytest.mark.slow
def test_held_out_lists_are_of_users_who_do_not_train(toy_run):
    stages = toy_run.stages
    towers = load_retrieval(stages.run_folder, stages.encoded, weights=EARLIER_WEIGHTS)
    config = stages.config.ranking
    lists, _ = held_out_lists(stages.encoded, towers, config)
    log = stages.encoded.dataset.events
    drawn = np.random.default_rng(config.seed).random(log.users)
    start_s = stages.encoded.dataset.split.validation_start
    expected = []
    for user in range(log.users):
        first = log.timestamp[log.row_splits[user]]
        if drawn[user] < config.held_out_users and first < start_s:
            expected.append(user)
    assert lists.user.tolist() == [*expected, *expected]
    assert set(np.unique(lists.weight).tolist()) <= {0.0, 1.0}
