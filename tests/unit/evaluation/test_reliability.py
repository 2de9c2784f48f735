import numpy as np
import pytest

from tests.unit.data.logs import log_of
from tests.unit.evaluation.funnel.worlds import considered_of
from tfrs_app.evaluation.funnel.probe import Considered
from tfrs_app.evaluation.protocol import everybody
from tfrs_app.evaluation.reliability import on_test, reliability_of

VIEW, BUY = 0, 1


def test_bins_tell_what_was_said_and_what_came():
    p = np.repeat([0.1, 0.5], 100).astype(np.float32)
    label = np.zeros(200, bool)
    label[:20] = True  # a fifth of those called a tenth
    label[100:150] = True
    found = reliability_of("buy", "test", p, label)
    assert found.candidates == 200
    assert found.expected == pytest.approx(0.3)
    assert found.happened == pytest.approx(70 / 200)
    assert found.ece == pytest.approx(0.05)
    told = [(round(said, 6), came, weight) for said, came, weight in found.bins]
    assert told == [(0.1, 0.2, 100), (0.5, 0.5, 100)]
    assert found.auc == pytest.approx((50 * 80 + 0.5 * (20 * 80 + 50 * 50)) / 70 / 130)


def test_labels_are_the_events_of_the_span():
    # u1 has no history; of the others u0 views 3 and buys 4, u2 buys 4 too late.
    log = log_of(
        [
            [(1, 0, BUY), (5, 3, VIEW), (6, 4, BUY)],
            [(6, 3, BUY)],
            [(2, 1, BUY), (4, 3, BUY), (9, 4, BUY)],
        ]
    )
    question = everybody(log, 4)
    assert question.user.tolist() == [0, 2]
    sources = considered_of([{3: ["new"], 4: ["new"]}, {4: ["new"]}])
    p = {"view": np.full((2, 2), 0.2), "buy": np.full((2, 2), 0.3)}
    considered = Considered(sources.row, sources.proposed, sources.score, p)
    view, buy = on_test(log, {"view": VIEW, "buy": BUY}, question, considered, 9)
    assert (view.task, view.where, view.candidates) == ("view", "test", 3)
    assert view.happened == pytest.approx(1 / 3)  # u0 views 3
    assert buy.happened == pytest.approx(1 / 3)  # u0 buys 4
    (later,) = on_test(log, {"buy": BUY}, question, considered, 10)
    assert later.happened == pytest.approx(2 / 3)
