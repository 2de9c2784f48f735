import dataclasses

import numpy as np
import pytest

from tests.unit.data.logs import log_of
from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.results import Result
from tfrs_app.evaluation.significance import Difference, Interval
from tfrs_app.evaluation.verdicts import Verdict, judge

CONFIG = EvaluationConfig(k=20, ks=(20,), resamples=200)
USERS = 50
QUESTION = ask(
    log_of([[(1, 0, 1), (9, 1, 1)] for _ in range(USERS)]), Target.ALL, 5, None
)
NOISE = np.random.default_rng(3).random(USERS)


def result(model, ndcg, question=QUESTION):
    per_user = {"ndcg@20": ndcg, "recall@20": ndcg / 2}
    return Result(
        model=model,
        target=question.target,
        metrics={name: float(v.mean()) for name, v in per_user.items()},
        parameters={},
        question=question,
        lists=np.zeros((USERS, 20), int),
        per_user=per_user,
    )


def test_the_best_baseline_of_the_test_window_is_the_rival():
    rows = [
        result("weak", NOISE * 0.5),
        result("strong", NOISE),
        result("ours", NOISE * 1.1),
        result("theirs", NOISE * 0.9),
    ]
    completed, verdicts = judge(rows, {"weak", "strong"}, CONFIG)
    told = [
        (v.model, v.rival, v.difference.outcome.value)
        for v in verdicts
        if v.best and v.metric == "ndcg@20"
    ]
    assert told == [("ours", "strong", "beats"), ("theirs", "strong", "loses to")]
    assert len(verdicts) == 2 * 2 * 2
    for row in completed:
        interval = row.intervals["ndcg@20"]
        assert interval.low < row.metrics["ndcg@20"] < interval.high


def test_without_a_baseline_there_is_no_verdict_but_an_interval():
    completed, verdicts = judge([result("ours", NOISE)], (), CONFIG)
    assert verdicts == []
    assert set(completed[0].intervals) == {"ndcg@20", "recall@20"}


def test_a_target_that_asks_nobody_has_no_intervals():
    nobody = QUESTION.of(np.zeros(USERS, bool))
    empty = dataclasses.replace(nobody, target=Target.FIRST_PURCHASE)
    row = dataclasses.replace(result("ours", NOISE), question=empty)
    completed, verdicts = judge([row], {"ours"}, CONFIG)
    assert completed == [row]
    assert verdicts == []


def verdict(value, low, high, relative=None, relative_bounds=None):
    bounds = relative_bounds and Interval(*relative_bounds)
    difference = Difference(value, Interval(low, high), relative, bounds)
    return Verdict("ours", "ease", Target.ALL, "ndcg@20", difference, best=True)


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        (
            verdict(0.01, 0.004, 0.02, 0.08, (0.03, 0.13)),
            "ours beats ease on all ndcg@20 by 8.0% (95 % interval +3.0% to +13.0%)",
        ),
        (
            verdict(-0.01, -0.02, -0.004, -0.08, (-0.13, -0.03)),
            "ours loses to ease on all ndcg@20 by 8.0% (95 % interval -13.0% to -3.0%)",
        ),
        (
            verdict(0.01, -0.004, 0.02, 0.01, (-0.04, 0.06)),
            "ours is not distinguishable from ease on all ndcg@20: +1.0% "
            "(95 % interval -4.0% to +6.0%)",
        ),
        (
            verdict(0.01, 0.004, 0.02),
            "ours beats ease on all ndcg@20: difference +0.0100 "
            "(95 % interval +0.0040 to +0.0200)",
        ),
    ],
)
def test_words(spoken, words):
    assert spoken.words == words
