import math

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.layers.candidates import Candidates, StreamingGap

ITEMS = 20
COUNTS = np.array([50, 30, 10, 10] + [0] * 16)


def candidates_of(**settings):
    defaults = {
        "items": ITEMS,
        "drawn": 6,
        "in_batch": True,
        "log_q": "counts",
        "seed": 3,
    }
    made = Candidates(**defaults | settings)
    made.expect(COUNTS, 4)
    return made


def gathered(made, target, training=False):
    batch = made(tf.constant(target, tf.int32), training)
    return {name: value.numpy() for name, value in batch._asdict().items()}


def graph_of(made, training=False):
    """The same for thousands of batches, many times faster."""
    targets = tf.TensorSpec([None], tf.int32)
    graph = tf.function(lambda rows: made(rows, training), input_signature=[targets])
    return lambda target: graph(tf.constant(target, tf.int32))


@pytest.mark.parametrize("drawn", [ITEMS, ITEMS + 5])
def test_as_many_draws_as_items_are_the_whole_catalogue(drawn):
    batch = gathered(candidates_of(drawn=drawn), [3, 3, 1])
    assert batch["rows"].tolist() == list(range(ITEMS))
    assert batch["column"].tolist() == [3, 3, 1]
    assert not batch["log_inclusion"].any()
    assert batch["is_negative"].all()


@pytest.mark.parametrize("in_batch", [True, False])
def test_rows_are_distinct_and_hold_every_target(in_batch):
    made = candidates_of(in_batch=in_batch)
    for _ in range(20):
        target = [3, 0, 3, 1]
        batch = gathered(made, target)
        assert len(set(batch["rows"].tolist())) == len(batch["rows"]) <= 9
        assert batch["rows"][batch["column"]].tolist() == target
        targets = np.isin(batch["rows"], target)
        assert batch["is_negative"][~targets].all()
        if in_batch:
            assert batch["is_negative"].all()


def test_without_in_batch_negatives_a_target_counts_only_if_it_was_drawn():
    made = candidates_of(in_batch=False)
    batch_of = graph_of(made)
    batches = [batch_of([3]) for _ in range(400)]
    share = np.mean([batch.is_negative.numpy()[0] for batch in batches])
    expected = 1 - (1 - 1 / ITEMS) ** 6
    assert share == pytest.approx(expected, abs=0.07)
    inclusion = batches[0].log_inclusion
    np.testing.assert_allclose(np.exp(inclusion), expected, rtol=1e-4)


@pytest.mark.slow
def test_the_inclusion_is_how_often_a_batch_holds_an_item():
    made = candidates_of()
    random = np.random.default_rng(1)
    share = COUNTS / COUNTS.sum()
    held, told = np.zeros(ITEMS), np.zeros(ITEMS)
    batches = 3000
    batch_of = graph_of(made)
    for _ in range(batches):
        batch = batch_of(random.choice(ITEMS, 4, p=share))
        held[batch.rows.numpy()] += 1
        told[batch.rows.numpy()] = np.exp(batch.log_inclusion)
    np.testing.assert_allclose(told, held / batches, atol=0.04)


def test_without_log_q_all_are_equally_likely():
    assert not gathered(candidates_of(log_q="none"), [0, 1])["log_inclusion"].any()


def test_a_lonely_item_has_a_finite_correction():
    made = Candidates(items=3, drawn=0, in_batch=True, log_q="counts", seed=1)
    made.expect(np.array([5, 0, 0]), 4)
    batch = gathered(made, [0, 2])
    np.testing.assert_allclose(np.exp(batch["log_inclusion"]), [1.0, 1e-6], rtol=1e-3)


@pytest.mark.slow
def test_the_streaming_estimate_finds_the_frequencies():
    made = candidates_of(log_q="streaming", drawn=0)
    random = np.random.default_rng(2)
    share = COUNTS / COUNTS.sum()
    batch_of = graph_of(made, training=True)
    for _ in range(3000):
        batch_of(random.choice(ITEMS, 4, p=share))
    batch = gathered(made, [0, 1, 2])
    expected = [1 - (1 - p) ** 4 for p in (0.5, 0.3, 0.1)]
    np.testing.assert_allclose(np.exp(batch["log_inclusion"]), expected, atol=0.12)


def test_a_question_outside_training_teaches_nothing():
    made = candidates_of(log_q="streaming")
    before = gathered(made, [0])["log_inclusion"][0]
    for _ in range(50):
        gathered(made, [0])
    assert gathered(made, [0])["log_inclusion"][0] == before


def test_a_gap_is_the_moving_average_of_steps_between_two_sights():
    gap = StreamingGap(2, rate=0.5, start=8.0)
    for rows in ([0], [1], [1], [0]):
        gap.saw(tf.constant(rows))
    # Item 0 at steps 1 and 4: 8 -> 4.5 -> 3.75; item 1 at 2 and 3: 8 -> 5 -> 3.
    frequency = gap.frequency(tf.constant([0, 1])).numpy()
    np.testing.assert_allclose(frequency, [1 / 3.75, 1 / 3], rtol=1e-6)


def test_the_seed_decides_the_draws():
    rows = [gathered(candidates_of(seed=s), [0])["rows"].tolist() for s in (3, 3, 4)]
    assert rows[0] == rows[1] != rows[2]


assert math.isclose(COUNTS.sum(), 100)
