import numpy as np
import pytest

from tests.unit.evaluation.funnel.worlds import considered_of, question_of
from tfrs_app.evaluation.funnel.popularity import bias_of, stages_of


def test_heads_are_the_items_with_most_past_events():
    events = np.zeros(100, int)
    events[70] = 9  # the one per cent
    events[10:30] = 5  # ties: of these twenty, nineteen belong to the fifth
    rows = np.array([[70, 10, 29], [70, 28, 99], [70, -1, -1]])
    bias = bias_of(rows, events)
    assert bias.entries == pytest.approx(7 / 3)
    assert bias.head[0.01] == pytest.approx(3 / 7)
    assert bias.head[0.2] == pytest.approx(5 / 7)  # 29 is the twentieth of the ties


def test_what_is_shown_alike_has_no_inequality():
    assert bias_of(np.arange(6).reshape(2, 3), np.ones(6)).gini == pytest.approx(0)
    one = bias_of(np.zeros((4, 1), int), np.ones(6))
    assert one.gini == pytest.approx(5 / 6)  # one of six has all


def test_stages_hold_what_they_show():
    question = question_of([[1, 2], [3]])
    considered = considered_of(
        [{1: ["two_tower", "repeat"], 4: ["popular"]}, {5: ["two_tower"]}]
    )
    ranked = np.array([[4], [5]])
    found = stages_of(question, considered, {"ranked": ranked})
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "purchases": [[1, 2], [3, -1]],
        "two_tower": [[1, -1], [5, -1]],
        "candidates": [[1, 4], [5, -1]],
        "ranked": [[4], [5]],
    }
