import math

import numpy as np
import pytest
import tensorflow as tf

from tests.little_shop import DAY, T0
from tfrs_app.contract.retrieval_config import FactorsConfig
from tfrs_app.models.retrieval import RetrievalModel

pytestmark = pytest.mark.slow

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
        model.fit_factors(T0 + 8 * DAY)
        return model

    return made


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
        "query_row": tf.constant(query_row, tf.int32),
        "weight": tf.constant(weight, tf.float32),
    }


def expected_loss(model, inputs, batch_size, drawn=(), on_sale=range(ITEMS), day=8):
    """The corrected softmax, from its definition: one example after the other.

    Below the fraction stand the example's own target, and each item that is in the
    batch or was drawn, over its probability of that, unless the same basket has it.
    """
    query = model.query_tower(inputs).numpy().astype(float)
    item = model.embed_items(ROWS, T0 + day * DAY).numpy().astype(float)
    target = inputs["target"].numpy().tolist()
    basket = inputs["query_row"].numpy()
    weight = inputs["weight"].numpy()
    absent = (1 - FREQUENCY) ** batch_size * (1 - 1 / ITEMS) ** len(drawn)
    total = 0.0
    for i in range(len(target)):
        own = {target[j] for j in range(len(target)) if basket[j] == basket[i]}
        others = (({*target} | {*drawn}) & {*on_sale}) - own
        scores = item @ query[basket[i]]
        below = math.exp(scores[target[i]]) + sum(
            math.exp(scores[row]) / max(1 - absent[row], 1e-6) for row in others
        )
        total -= weight[i] * (scores[target[i]] - math.log(below))
    return total / sum(weight)


CASES = {
    "all different": ([0, 1, 2], [0, 1, 2], [1.0, 1.0, 1.0]),
    "weights": ([0, 1, 2], [0, 1, 2], [1.0, 0.25, 3.0]),
    "accidental hits": ([0, 1, 0, 1], [0, 1, 2, 2], [1.0, 1.0, 2.0, 1.0]),
    "a basket": ([3, 1, 2, 0], [1, 1, 1, 0], [1.0, 1.0, 1.0, 0.5]),
    "nothing but one basket": ([3, 1], [1, 1], [1.0, 1.0]),
    "one example": ([2], [2], [1.0]),
}


SIMILARITIES = {
    "dot": {},
    "cosine": {"similarity": "cosine", "temperature": 0.3},
    "learned": {"similarity": "cosine", "learn_temperature": True},
    "trends": {"trend_days": (3.0,), "trend_dim": 3},
    "factors": {"factors": FactorsConfig(dim=2)},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_loss_is_the_corrected_softmax(model_of, case, similarity):
    inputs = batch_of(*CASES[case])
    model = model_of(**SIMILARITIES[similarity], uniform_negatives=0, batch_size=64)
    expected = expected_loss(model, inputs, 64)
    assert float(model.compute_loss(inputs)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_uniform_negatives_join_every_examples_candidates(model_of, case):
    inputs = batch_of(*CASES[case])
    model = model_of(uniform_negatives=3, batch_size=8, seed=11)
    # A generator of the same seed draws the same items first.
    same = tf.random.Generator.from_seed(11)
    drawn = same.uniform([3], maxval=ITEMS, dtype=tf.int32).numpy().tolist()
    expected = expected_loss(model, inputs, 8, drawn)
    assert float(model.compute_loss(inputs)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("day", "had"), [(1, {1}), (2, {0, 1, 2}), (3, {0, 1, 2, 4})])
def test_what_nobody_had_before_the_batch_need_not_be_a_negative(model_of, day, had):
    inputs = batch_of([0, 3, 4], [0, 1, 2], [1.0, 0.5, 2.0])
    moments = [T0 + (day + 3) * DAY, T0 + day * DAY, T0 + 9 * DAY]
    inputs["timestamp"] = tf.constant(moments, tf.int64)
    model = model_of(uniform_negatives=0, batch_size=8, unseen_negatives=False)
    expected = expected_loss(model, inputs, 8, on_sale=had, day=day)
    assert float(model.compute_loss(inputs)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("repeat_weight", [0.0, 1.0])
def test_discoveries_are_not_compared_with_what_the_user_had(model_of, repeat_weight):
    inputs = batch_of([0, 1], [1, 2], [1.0, 1.0])  # query 1 had apple, cheese, date
    inputs["history_item_id"] = tf.constant([[0, 0, 0], [4, 2, 5], [0, 0, 3]])
    model = model_of(repeat_weight=repeat_weight, uniform_negatives=ITEMS)
    lacks = model._new_to_user(inputs, tf.constant([3, 0, 4, 2])).numpy()
    if repeat_weight:
        assert lacks.all()
    else:  # columns: date, apple, egg, cheese
        assert lacks[1].tolist() == [False, False, True, False]
        assert lacks[0].all()
        assert lacks[2].all()
    assert np.isfinite(float(model.compute_loss(inputs)))


def test_hidden_events_change_a_training_query_only(model_of):
    inputs = batch_of(*CASES["all different"])
    model = model_of(history_dropout=1.0)
    nothing = {**inputs, "history_item_id": tf.zeros([3, 3], tf.int32)}
    hidden = float(model.compute_loss(inputs, training=True))
    assert hidden == pytest.approx(float(model.compute_loss(nothing)), abs=1e-6)
    assert hidden != pytest.approx(float(model.compute_loss(inputs)), abs=1e-6)


def test_examples_without_weight_do_not_divide_by_zero(model_of):
    loss = model_of().compute_loss(batch_of([0, 1], [0, 1], [0.0, 0.0]))
    assert float(loss) == 0.0


def test_dropped_ids_count_as_unknown(model_of):
    inputs = batch_of(*CASES["all different"])
    model = model_of(id_dropout=1.0)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
    gradient = tape.gradient(loss, model.candidate_tower.ids.table.embeddings)
    dense = tf.convert_to_tensor(gradient).numpy()
    used = {int(row) for row in np.flatnonzero(np.abs(dense).sum(axis=1))}
    assert used <= {2, 3, 4, 5}  # the histories' rows, not the three targets'
    assert float(loss) != float(model.compute_loss(inputs, training=False))


def test_only_the_embedding_rows_of_the_batch_have_a_gradient(model_of):
    inputs = batch_of([0, 2], [0, 2], [1.0, 1.0])
    inputs["history_item_id"] = tf.constant([[0, 2, 2], [0, 0, 0], [0, 0, 4]])
    model = model_of()
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
    gradient = tape.gradient(loss, model.candidate_tower.ids.table.embeddings)
    assert isinstance(gradient, tf.IndexedSlices)
    dense = tf.convert_to_tensor(gradient).numpy()
    rows = {int(row) for row in np.flatnonzero(np.abs(dense).sum(axis=1))}
    assert rows <= {2, 4}  # tokens of apple and cheese; padding weighs nothing
    assert 2 in rows


def test_both_towers_share_item_embedding_and_content(model_of):
    model = model_of()
    assert model.query_tower.ids is model.candidate_tower.ids
    assert model.query_tower.content is model.candidate_tower.content


@pytest.mark.parametrize("rows", [[], [3], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_items_have_the_width_of_queries(model_of, rows, similarity):
    settings = SIMILARITIES[similarity]
    model = model_of(**settings)  # a tf.function keeps no reference to its object
    answer = model.embed_items(tf.constant(rows, tf.int32), T0).numpy()
    width = {"trends": 7, "factors": 6}.get(similarity, 4)
    assert answer.shape == (len(rows), width)
    assert model.query_tower(batch_of([0], [0], [1.0])).shape == (3, width)
    if "similarity" in settings:
        np.testing.assert_allclose(np.linalg.norm(answer, axis=1), 1, atol=1e-5)


def test_a_temperature_that_is_learned_starts_at_the_configured_one(model_of):
    model = model_of(similarity="cosine", temperature=0.25, learn_temperature=True)
    inputs = batch_of(*CASES["all different"])
    norms = np.linalg.norm(model.query_tower(inputs).numpy(), axis=1)
    np.testing.assert_allclose(norms, 4.0, rtol=1e-5)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
    assert tape.gradient(loss, model.query_tower.log_temperature) is not None


HISTORIES = {
    "known": [[2, 3, 4]],
    "empty": [[0, 0, 0]],
    "unknown": [[1, 1, 1]],
    "several": [[0, 2, 3], [0, 0, 0], [1, 1, 2]],
}


ENCODERS = ("mean", "attention", "gru", "transformer")


@pytest.mark.parametrize("case", HISTORIES)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_takes_every_history(model_of, case, encoder):
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
    answer = model_of(history_encoder=encoder).query_tower(inputs).numpy()
    assert answer.shape == (batch, 4)
    assert np.isfinite(answer).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_each_row_of_a_batch_is_embedded_by_itself(model_of, encoder):
    model = model_of(history_encoder=encoder)
    inputs = batch_of(*CASES["all different"])
    together = model.query_tower(inputs).numpy()
    for row in range(3):
        alone = {name: value[row : row + 1] for name, value in inputs.items()}
        np.testing.assert_allclose(
            model.query_tower(alone).numpy()[0], together[row], atol=1e-6
        )


@pytest.mark.parametrize("encoder", ["mean", "attention"])
def test_an_untrained_query_is_most_like_what_it_had(model_of, encoder):
    model = model_of(history_encoder=encoder, embedding_dim=64)
    inputs = batch_of(*CASES["all different"])
    queries = model.query_tower(inputs)
    ids = model.query_tower.ids(tf.range(2, 2 + ITEMS))
    scores = tf.matmul(queries[:, :64], ids, transpose_b=True).numpy()
    for row, own in [(0, [0, 1]), (1, [2, 0, 3])]:
        others = np.delete(np.arange(ITEMS), own)
        assert scores[row, own].min() > scores[row, others].max()


def test_factors_see_more_events_than_the_rest_and_each_item_once(model_of):
    factors = FactorsConfig(dim=2, history_length=3)
    model = model_of(factors=factors, history_length=2, embedding_dim=4)
    inputs = batch_of([0], [0], [1.0])
    inputs["history_item_id"] = tf.constant([[0, 2, 3], [4, 2, 3], [2, 2, 3]])
    inputs["history_timestamp"] = tf.fill([3, 3], tf.constant(T0, tf.int64))
    inputs["history_event_type"] = tf.minimum(inputs["history_item_id"], 1) * 3
    for name, values in inputs.items():
        if name in ("timestamp", "city", "age", "store", "wait"):
            inputs[name] = tf.gather(values, [0, 0, 0])
    answer = model.query_tower(inputs).numpy()
    learned, linear = answer[:, :4], answer[:, 4:]
    np.testing.assert_allclose(learned[1:], learned[:1].repeat(2, axis=0), atol=1e-6)
    np.testing.assert_allclose(linear[2], linear[0], atol=1e-6)
    assert np.abs(linear[1] - linear[0]).max() > 1e-3
    older = {"history_item_id": 5, "history_timestamp": T0, "history_event_type": 3}
    for name, value in older.items():
        event = tf.fill([3, 1], tf.constant(value, inputs[name].dtype))
        inputs[name] = tf.concat([event, inputs[name]], axis=1)
    np.testing.assert_allclose(model.query_tower(inputs).numpy(), answer, atol=1e-6)
