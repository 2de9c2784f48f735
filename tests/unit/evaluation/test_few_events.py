import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of
from tests.unit.evaluation.funnel.worlds import question_of
from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.evaluation.few_events import SHOWN, last_events, with_few_events
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import everybody

CONFIG = EvaluationConfig(ks=(2,), k=2, resamples=100)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 99])
def test_only_the_last_events_of_a_window_are_left(count):
    window = [[0, 7, 8, 9], [3, 4, 5, 6]]
    inputs = {
        "history_item_id": tf.constant(window),
        "history_event_type": tf.constant(window),
        "history_timestamp": tf.constant(window, tf.int64),
        "timestamp": tf.constant([50, 60], tf.int64),
        "city": tf.constant([1, 2]),
    }
    cut = last_events(inputs, count)
    shown = min(count, 4)
    expected = [[0] * (4 - shown) + row[4 - shown :] for row in window]
    for name in ("history_item_id", "history_event_type", "history_timestamp"):
        assert cut[name].numpy().tolist() == expected
        assert cut[name].dtype == inputs[name].dtype
    assert cut["timestamp"].numpy().tolist() == [50, 60]
    assert cut["city"].numpy().tolist() == [1, 2]


@settings(deadline=None)
@given(USERS, st.integers(0, 4))
def test_a_past_keeps_the_last_events_of_everybody(users, count):
    whole = Past.of(log_of(users), 4, 5)
    cut = whole.last_events(count)
    expected = []
    for number, events in enumerate(users):
        before = [(number, item, 4 - time) for time, item, _ in events if time < 4]
        expected += before[len(before) - min(count, len(before)) :]
    ages = (cut.age_days * 86400).round().astype(int)
    found = list(zip(cut.user.tolist(), cut.item.tolist(), ages.tolist(), strict=True))
    assert found == expected
    assert len(cut.weight) == len(cut.bought) == len(expected)
    assert cut.interactions(None).nnz == len({pair[:2] for pair in expected})
    assert whole.interactions(None).nnz >= cut.interactions(None).nnz


@given(USERS)
def test_everybody_with_a_history_is_asked(users):
    question = everybody(log_of(users), 4)
    known = [n for n, events in enumerate(users) if any(e[0] < 4 for e in events)]
    assert question.user.tolist() == known
    assert question.targets.sizes.tolist() == [0] * len(known)
    assert question.excluded.sizes.tolist() == [0] * len(known)
    lengths = [sum(e[0] < 4 for e in users[n]) for n in known]
    assert (question.history_end - question.history_start).tolist() == lengths


def test_each_model_is_asked_with_each_cut():
    asked = []

    def knows(question, k, events):
        asked.append((k, events))
        hit = events is None or events > 0
        return np.array([[0, 1]] * 2 if hit else [[5, 6]] * 2)

    def never(question, k, events):
        return np.array([[5, 6]] * 2)

    rows = with_few_events(
        {"knows": knows, "never": never}, question_of([[0], [1, 2]]), CONFIG
    )
    assert asked == [(2, 0), (2, 1), (2, 3), (2, None)]
    assert [(row.model, row.events) for row in rows] == [
        (model, events) for model in ("knows", "never") for events in SHOWN
    ]
    found = {(row.model, row.events): row for row in rows}
    assert found["knows", 0].metrics["recall@2"] == 0
    assert found["knows", 1].metrics["recall@2"] == 0.75
    assert found["never", None].metrics["ndcg@2"] == 0
    assert found["knows", 3].intervals["recall@2"].low == 0.5
    assert found["knows", 3].intervals["recall@2"].high == 1.0
