import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.layers.sequence import (
    EventInputs,
    GruStates,
    SequenceHistory,
    TransformerStates,
)

SPEC = FeatureSpec(event_weights={"view": 0.25, "purchase": 1.0})
DIM, LENGTH = 4, 6
STATES = {
    "gru": lambda: GruStates(DIM),
    "transformer": lambda: TransformerStates(DIM, LENGTH, layers=2, heads=2),
}


@pytest.fixture(params=STATES)
def layer(request):
    tf.keras.utils.set_random_seed(3)
    return SequenceHistory(EventInputs(SPEC, DIM), STATES[request.param]())


def windows(seed=0, batch=3, padding=(0, 2, 6)):
    random = np.random.default_rng(seed)
    index = random.integers(2, 9, (batch, LENGTH))
    days = np.cumsum(random.uniform(0, 3, (batch, LENGTH)), axis=1)
    for row, width in enumerate(padding):
        index[row, :width] = 0
    return {
        "vectors": random.normal(size=(batch, LENGTH, 3)).astype(np.float32),
        "index": index.astype(np.int32),
        "event_type": random.integers(2, 4, (batch, LENGTH)).astype(np.int32),
        "timestamp_days": days.astype(np.float32),
    }


def read(layer, inputs, window, end):
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    return layer(**tensors, window=tf.constant(window), end=tf.constant(end)).numpy()


def test_a_state_knows_nothing_of_what_comes_after_it(layer):
    inputs = windows()
    before = read(layer, inputs, [0, 1], [4, 4])
    changed = windows(seed=1)
    later = {
        k: np.concatenate([v[:, :4], changed[k][:, 4:]], 1) for k, v in inputs.items()
    }
    np.testing.assert_allclose(read(layer, later, [0, 1], [4, 4]), before, atol=1e-6)
    # The last event that it does know changes it.
    earlier = {
        k: np.concatenate([v[:, :3], changed[k][:, 3:]], 1) for k, v in inputs.items()
    }
    assert np.abs(read(layer, earlier, [0, 1], [4, 4]) - before).max() > 1e-3


def test_several_queries_read_one_window(layer):
    inputs = windows()
    together = read(layer, inputs, [0, 0, 1, 0], [6, 2, 5, 3])
    for row, (window, end) in enumerate([(0, 6), (0, 2), (1, 5), (0, 3)]):
        alone = {name: value[window : window + 1] for name, value in inputs.items()}
        np.testing.assert_allclose(
            read(layer, alone, [0], [end])[0], together[row], atol=1e-5
        )


def test_an_empty_history_gives_zeros(layer):
    answer = read(layer, windows(), [2, 0, 1], [6, 0, 2])
    assert not answer.any()


def test_padding_in_front_does_not_matter(layer):
    inputs = windows()
    garbage = windows(seed=5)
    other = {name: value.copy() for name, value in inputs.items()}
    for name in ("vectors", "event_type", "timestamp_days"):
        other[name][1, :2] = garbage[name][1, :2]
    np.testing.assert_allclose(
        read(layer, other, [1], [6]), read(layer, inputs, [1], [6]), atol=1e-5
    )


def test_the_order_matters(layer):
    inputs = windows()
    swapped = {name: value.copy() for name, value in inputs.items()}
    swapped["vectors"][0, [1, 2]] = swapped["vectors"][0, [2, 1]]
    difference = read(layer, swapped, [0], [6]) - read(layer, inputs, [0], [6])
    assert np.abs(difference).max() > 1e-4


def test_every_weight_learns(layer):
    inputs = {name: tf.constant(value) for name, value in windows().items()}
    with tf.GradientTape() as tape:
        states = layer(**inputs, window=tf.constant([0, 1]), end=tf.constant([6, 6]))
        loss = tf.reduce_sum(states**2 * tf.range(1.0, DIM + 1))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert all(gradient is not None for gradient in gradients)
    for gradient in gradients:
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all()
