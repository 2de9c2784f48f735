from types import SimpleNamespace

import numpy as np

from tests.unit.evaluation.funnel.worlds import considered_of, question_of
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.evaluation.funnel.probe import FunnelProbe


def answer(rows, scores):
    """One batch of candidates of the first source."""
    proposed = np.zeros((*np.shape(rows), len(SOURCES)), bool)
    proposed[..., 0] = np.array(rows) >= 0
    return {
        "candidate_row": np.array(rows, np.int32),
        "proposed": proposed,
        "score": np.array(scores, np.float32),
        "probability_view": np.array(scores, np.float32) / 10,
    }


def probe(answers, barred=None):
    def considering(place, mask):
        if barred is not None:
            barred.append(mask)
        return answers[place]

    requests = SimpleNamespace(of=lambda question, k: list(range(len(answers))))
    return FunnelProbe(requests, considering, np.ones(7, bool))


def test_batches_are_joined_to_one_length():
    one = answer([[4, 2, 6]], [[0.1, 0.5, 0.3]])
    other = answer([[5, -1], [1, 0]], [[0.2, -np.inf], [0.1, 0.4]])
    found = probe([one, other]).considered(question_of([[1]] * 3), 2)
    assert found.row.tolist() == [[4, 2, 6], [5, -1, -1], [1, 0, -1]]
    assert found.score[1:, 2].tolist() == [-np.inf, -np.inf]
    assert found.proposed[..., 0].sum(axis=1).tolist() == [3, 1, 2]
    assert found.probability["view"].shape == (3, 3)
    assert found.best(2).tolist() == [[2, 6], [5, -1], [0, 1]]
    assert found.best(5)[0].tolist() == [2, 6, 4, -1, -1]
    assert found.of(np.array([False, True, True])).row[:, 0].tolist() == [5, 1]


def test_candidates_of_a_question_bar_the_others():
    masks = []
    asked = probe([answer([[3]], [[1.0]])], masks)
    question = question_of([[1]])
    asked.lists(question, 1)
    some = np.array([True, False, True, True, True, True, True])
    assert asked.lists(question.among(~(~some) | some), 1).tolist() == [[3]]
    assert masks[0] is None
    assert masks[1].tolist() == (~some).tolist()


def test_equal_scores_keep_their_order():
    found = considered_of([{3: ["repeat"], 1: ["new"], 5: ["popular"]}])
    assert found.best(2).tolist() == [[3, 1]]
