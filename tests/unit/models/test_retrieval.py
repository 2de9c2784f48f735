import math

import numpy as np
import pytest
import tensorflow as tf

from tests.little_shop import DAY, T0
from tfrs_app.models.retrieval import RetrievalModel, other_baskets, relative_presence

ITEMS = 5
FREQUENCY = np.array([0.5, 0.125, 0.25, 0.125, 0.0])
"""Of the eight targets that `model_of` expects."""
ROWS = tf.range(ITEMS)


@pytest.fixture
def model_of(little_encoded, little_config):
    def made(**settings):
        tf.keras.utils.set_random_seed(5)
        config = little_config.retrieval.model_copy(update=settings)
        model = RetrievalModel(little_encoded, config)
        model.expect_targets(np.array([0, 0, 0, 0, 1, 2, 2, 3]))
        return model

    return made


@pytest.mark.parametrize(
    ("frequency", "batch", "uniform"),
    [
        ([0.5, 0.3, 0.2, 0.0], 10, 0),
        ([0.5, 0.3, 0.2, 0.0], 10, 4),
        ([1.0], 2, 0),
        ([1e-9, 1 - 1e-9], 4096, 1),
    ],
)
def test_relative_presence_is_the_expected_number_over_the_largest(
    frequency, batch, uniform
):
    expected = [batch * share + uniform / len(frequency) for share in frequency]
    answer = relative_presence(np.array(frequency), batch, uniform)
    largest = max(expected)
    np.testing.assert_allclose(answer, [e / largest for e in expected], rtol=1e-6)
    assert answer.dtype == np.float32


@pytest.mark.parametrize("uniform", [0, 2])
@pytest.mark.parametrize("query_row", [[0], [0, 0, 1], [1, 0, 1, 2, 0]])
def test_other_baskets_keeps_ones_own_target_and_strangers(query_row, uniform):
    mask = other_baskets(tf.constant(query_row), uniform).numpy()
    n = len(query_row)
    for i in range(n):
        for j in range(n + uniform):
            foreign = j >= n or query_row[i] != query_row[j]
            assert mask[i, j] == (i == j or foreign)
    assert mask.shape == (n, n + uniform)


def batch_of(target, query_row, weight):
    """Queries 0, 1, 2 with different histories, one of them empty."""
    history = np.array([[0, 2, 3], [4, 2, 5], [0, 0, 0]], np.int32)
    days = np.array([[0, 1, 2], [3, 4, 5], [0, 0, 0]])
    return {
        "history_item_id": tf.constant(history),
        "history_event_type": tf.constant(np.where(history, 3, 0), tf.int32),
        "history_timestamp": tf.constant(T0 + days * DAY, tf.int64),
        "timestamp": tf.constant([T0 + 8 * DAY] * 3, tf.int64),
        "city": tf.constant([2, 1, 0], tf.int32),
        "age": tf.constant([30.0, math.nan, 50.0]),
        "store": tf.constant([2, 3, 0], tf.int32),
        "wait": tf.constant([1.0, math.nan, 2.0]),
        "target": tf.constant(target, tf.int32),
        "moment": tf.constant([T0 + 8 * DAY] * len(target), tf.int64),
        "query_row": tf.constant(query_row, tf.int32),
        "weight": tf.constant(weight, tf.float32),
    }


def expected_loss(model, inputs, temperature, batch_size, drawn=()):
    """The corrected softmax, from its definition: one example after the other.

    Candidates are the example's own target, the targets of other baskets that are
    another item, and the drawn items that are another one.
    """
    query = model.query_tower(inputs).numpy().astype(float)
    item = model.embed_items(ROWS, T0).numpy().astype(float)
    target = inputs["target"].numpy()
    basket = inputs["query_row"].numpy()
    weight = inputs["weight"].numpy()
    often = batch_size * FREQUENCY + len(drawn) / ITEMS

    def logit(i, row):
        return query[basket[i]] @ item[row] / temperature - math.log(often[row])

    total = 0.0
    for i in range(len(target)):
        others = [
            target[j]
            for j in range(len(target))
            if basket[j] != basket[i] and target[j] != target[i]
        ]
        others += [row for row in drawn if row != target[i]]
        own = logit(i, target[i])
        denominator = sum(math.exp(logit(i, row)) for row in [target[i], *others])
        total += weight[i] * (math.log(denominator) - own)
    return total / sum(weight)


CASES = {
    "all different": ([0, 1, 2], [0, 1, 2], [1.0, 1.0, 1.0]),
    "weights": ([0, 1, 2], [0, 1, 2], [1.0, 0.25, 3.0]),
    "accidental hits": ([0, 1, 0, 1], [0, 1, 2, 2], [1.0, 1.0, 2.0, 1.0]),
    "a basket": ([3, 1, 2, 0], [1, 1, 1, 0], [1.0, 1.0, 1.0, 0.5]),
    "nothing but one basket": ([3, 1], [1, 1], [1.0, 1.0]),
    "one example": ([2], [2], [1.0]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_loss_is_the_corrected_softmax(model_of, case, temperature):
    inputs = batch_of(*CASES[case])
    model = model_of(temperature=temperature, uniform_negatives=0, batch_size=64)
    expected = expected_loss(model, inputs, temperature, 64)
    assert float(model.compute_loss(inputs)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_uniform_negatives_join_every_examples_candidates(model_of, case):
    inputs = batch_of(*CASES[case])
    model = model_of(temperature=0.5, uniform_negatives=3, batch_size=8, seed=11)
    # A generator of the same seed draws the same items first.
    same = tf.random.Generator.from_seed(11)
    drawn = same.uniform([3], maxval=ITEMS, dtype=tf.int32).numpy().tolist()
    expected = expected_loss(model, inputs, 0.5, 8, drawn)
    assert float(model.compute_loss(inputs)) == pytest.approx(expected, abs=1e-4)


def test_examples_without_weight_do_not_divide_by_zero(model_of):
    loss = model_of().compute_loss(batch_of([0, 1], [0, 1], [0.0, 0.0]))
    assert float(loss) == 0.0


def test_dropped_ids_count_as_unknown(model_of):
    inputs = batch_of(*CASES["all different"])
    model = model_of(id_dropout=1.0)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
    gradient = tape.gradient(loss, model.candidate_tower.items.embeddings)
    touched = set(gradient.indices.numpy().tolist())
    # The histories' rows and padding, and row 1 instead of all three targets' rows.
    assert touched == {0, 1, 2, 3, 4, 5}
    assert float(loss) != float(model.compute_loss(inputs, training=False))


def test_only_the_embedding_rows_of_the_batch_have_a_gradient(model_of):
    inputs = batch_of([0, 2], [0, 2], [1.0, 1.0])
    inputs["history_item_id"] = tf.constant([[0, 2, 2], [0, 0, 0], [0, 0, 4]])
    model = model_of()
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
    gradient = tape.gradient(loss, model.candidate_tower.items.embeddings)
    assert isinstance(gradient, tf.IndexedSlices)
    dense = tf.convert_to_tensor(gradient).numpy()
    rows = {int(row) for row in np.flatnonzero(np.abs(dense).sum(axis=1))}
    assert rows <= {2, 4}  # tokens of apple and cheese; padding weighs nothing
    assert 2 in rows


def test_both_towers_share_one_item_embedding(model_of):
    model = model_of()
    assert model.query_tower.items is model.candidate_tower.items


@pytest.mark.parametrize("rows", [[], [3], [0, 1, 2, 3, 4]])
def test_items_are_unit_vectors(model_of, rows):
    model = model_of()  # a tf.function keeps no reference to its object
    answer = model.embed_items(tf.constant(rows, tf.int32), T0).numpy()
    assert answer.shape == (len(rows), 4)
    np.testing.assert_allclose(np.linalg.norm(answer, axis=1), 1, atol=1e-5)


HISTORIES = {
    "known": [[2, 3, 4]],
    "empty": [[0, 0, 0]],
    "unknown": [[1, 1, 1]],
    "of no length": [[]],
    "several": [[0, 2, 3], [0, 0, 0], [1, 1, 2]],
}


@pytest.mark.parametrize("case", HISTORIES)
def test_queries_are_unit_vectors(model_of, case):
    history = np.array(HISTORIES[case], np.int32)
    batch = len(history)
    inputs = {
        "history_item_id": tf.constant(history),
        "history_event_type": tf.constant(np.where(history, 2, 0), tf.int32),
        "history_timestamp": tf.zeros(history.shape, tf.int64),
        "timestamp": tf.fill([batch], tf.constant(T0, tf.int64)),
        "city": tf.ones([batch], tf.int32),
        "age": tf.fill([batch], math.nan),
        "store": tf.zeros([batch], tf.int32),
        "wait": tf.fill([batch], math.nan),
    }
    answer = model_of().query_tower(inputs).numpy()
    assert answer.shape == (batch, 4)
    np.testing.assert_allclose(np.linalg.norm(answer, axis=1), 1, atol=1e-5)


def test_each_row_of_a_batch_is_embedded_by_itself(model_of):
    model = model_of()
    inputs = batch_of(*CASES["all different"])
    together = model.query_tower(inputs).numpy()
    for row in range(3):
        alone = {name: value[row : row + 1] for name, value in inputs.items()}
        np.testing.assert_allclose(
            model.query_tower(alone).numpy()[0], together[row], atol=1e-6
        )
