"""The judge that imports nobody agrees with what `tfrs-app evaluate` computes."""

import ast
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import judge
from benchmarks.peers.judge import Answers, check, interval_of, metrics_of
from tfrs_app.evaluation import significance
from tfrs_app.evaluation.metrics import hits_of, user_metrics

USERS, ITEMS, K = 40, 150, 100


def lists_and_targets(seed):
    random = np.random.default_rng(seed)
    lists = np.stack([random.permutation(ITEMS)[:K] for _ in range(USERS)])
    lists[3, 50:] = -1
    lists[4] = -1
    sizes = random.integers(1, 40, USERS)
    targets = [random.choice(ITEMS, size, replace=False) for size in sizes]
    return lists, targets


def answers_for(targets, excluded=None):
    excluded = excluded or [[] for _ in targets]
    arrays = {
        "all_user": np.arange(len(targets)),
        "all_splits": np.cumsum([0, *map(len, targets)]),
        "all_items": np.concatenate([*map(np.asarray, targets)]).astype(int),
        "all_excluded_splits": np.cumsum([0, *map(len, excluded)]),
        "all_excluded_items": np.array([i for row in excluded for i in row], int),
    }
    return Answers.of(arrays, "all")


@pytest.mark.parametrize("seed", [0, 1])
def test_metrics_are_those_of_evaluate(seed):
    lists, targets = lists_and_targets(seed)
    answers = answers_for(targets)
    sizes = np.array([*map(len, targets)])
    hits = hits_of(lists, np.cumsum([0, *sizes]), np.concatenate(targets))
    ours = user_metrics(hits, sizes, judge.KS)
    found = metrics_of(lists, answers)
    assert set(found) == {f"{m}@{k}" for m in ("ndcg", "recall") for k in (20, 100)} | {
        "mrr"
    }
    for name, values in found.items():
        np.testing.assert_allclose(values, ours[name], atol=1e-12, err_msg=name)


def test_metrics_by_hand():
    answers = answers_for([[7, 9, 11]])
    found = metrics_of(np.array([[1, 9, 3, 7, *[-1] * 96]]), answers)
    gain = 1 / np.log2(3) + 1 / np.log2(5)
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert found["ndcg@20"] == pytest.approx([gain / ideal])
    assert found["recall@20"] == pytest.approx([2 / 3])
    assert found["mrr"] == pytest.approx([1 / 2])


def test_intervals_are_those_of_evaluate():
    values = np.random.default_rng(3).gamma(0.5, size=2000)
    ours = significance.resampled_means({"m": values}, judge.RESAMPLES, 5)["m"]
    theirs = significance.interval_of(ours)
    low, high = interval_of(judge.resampled_means(values))
    width = theirs.high - theirs.low
    assert abs(low - theirs.low) < 0.1 * width
    assert abs(high - theirs.high) < 0.1 * width


def test_draws_are_paired():
    values = np.random.default_rng(4).random(100)
    one, other = judge.resampled_means(values), judge.resampled_means(values + 1)
    np.testing.assert_allclose(other - one, 1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1, 2, 1], "twice"),
        ([1, 5, -1], "excluded"),
        ([1, 10, 2], "unknown"),
    ],
)
def test_lists_that_break_the_rules_are_refused(row, reason):
    answers = answers_for([[3]], [[5]])
    check(np.array([[1, 2, -1]]), answers, items=10)
    with pytest.raises(ValueError, match=reason):
        check(np.array([row]), answers, items=10)


def test_a_missing_list_is_refused():
    with pytest.raises(ValueError, match="2 users have 1 lists"):
        check(np.array([[1]]), answers_for([[3], [4]]), items=10)


def test_the_judge_imports_no_rival():
    tree = ast.parse(Path(judge.__file__).read_text(encoding="utf-8"))
    names = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert names == {
        "__future__",
        "collections.abc",
        "dataclasses",
        "itertools",
        "numpy",
    }
