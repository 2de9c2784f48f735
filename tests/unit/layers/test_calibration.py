import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.layers.calibration import Calibration

METHODS = ["platt", "isotonic"]


def fitted(method, logits, labels, weight=None):
    calibration = Calibration()
    weight = np.ones(len(logits)) if weight is None else np.array(weight, float)
    calibration.fit(method, np.array(logits), np.array(labels, bool), weight)
    return calibration


def probabilities(calibration, logits):
    return tf.sigmoid(calibration(tf.constant(logits, tf.float32))).numpy()


def simulated(truth, seed=0, n=20_000):
    random = np.random.default_rng(seed)
    x = random.normal(0, 1.5, n)
    return x, random.random(n) < truth(x)


@pytest.mark.parametrize(
    ("scale", "offset"), [(1, 0), (8, 0), (1e-3, 0), (1, 40), (30, -200)]
)
@pytest.mark.parametrize("intercept", [-4.0, 1.0])
def test_platt_finds_the_line_that_made_the_labels(scale, offset, intercept):
    def truth(x):
        return 1 / (1 + np.exp(-(intercept + 0.7 * x)))

    x, labels = simulated(truth)
    calibration = fitted("platt", x * scale + offset, labels)
    y = calibration(tf.constant([offset, offset + scale], tf.float32)).numpy()
    np.testing.assert_allclose(y, [intercept, intercept + 0.7], atol=0.15)


def test_platt_does_not_run_away_where_a_whole_newton_step_leads_too_far():
    """Of these weights, full steps end at a line of 10 ** 9."""
    labels, weight = [False, False, False, True], [1000.0, 10.0, 10_000.0, 10.0]
    calibration = fitted("platt", [-1.0, 0.0, 2.0, 3.0], labels, weight)
    assert np.abs(calibration.y).max() < 100


@pytest.mark.parametrize("method", METHODS)
def test_an_example_that_stands_for_several_is_several(method):
    random = np.random.default_rng(3)
    x, weight = random.normal(2, 3, 60), random.integers(1, 9, 60)
    labels = random.random(60) < 0.2 + 0.5 * (x > 2)
    copies = fitted(method, x.repeat(weight), labels.repeat(weight))
    grid = tf.linspace(-2.0, 6.0, 30)
    np.testing.assert_allclose(
        fitted(method, x, labels, weight)(grid), copies(grid), rtol=1e-3
    )


def monotone(shares, weights):
    """Isotonic regression by its max-min formula."""

    def mean(a, b):
        return np.average(shares[a : b + 1], weights=weights[a : b + 1])

    n = len(shares)
    return [
        max(min(mean(a, b) for b in range(i, n)) for a in range(i + 1))
        for i in range(n)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_isotonic_is_its_definition_where_logits_are_equal_too(seed):
    random = np.random.default_rng(seed)
    values = np.arange(6) / 100
    which = np.concatenate([np.arange(6), random.integers(0, 6, 30)])
    labels, weight = random.random(36) < 0.2 + which / 10, random.integers(1, 5, 36)
    weights = [weight[which == i].sum() for i in range(6)]
    shares = [
        np.average(labels[which == i], weights=weight[which == i]) for i in range(6)
    ]
    least = 1 / (weight.sum() + 2)
    expected = np.clip(monotone(shares, weights), least, 1 - least)
    found = probabilities(fitted("isotonic", values[which], labels, weight), values)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_isotonic_comes_near_a_truth_that_is_no_line():
    def truth(x):
        return 0.1 + 0.6 * (x > 0) + 0.1 * np.tanh(x)

    calibration, x = fitted("isotonic", *simulated(truth)), np.linspace(-3, 3, 301)
    found = probabilities(calibration, x)
    assert np.abs(found - truth(x)).mean() < 0.03


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-99, 99), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([0.01, 1.0]),
)
def test_the_order_never_changes(method, examples, scale):
    logits, labels = zip(*examples, strict=True)
    calibration = fitted(method, np.array(logits) * scale, labels)
    answer = calibration(tf.constant(np.arange(-120, 120) * scale, tf.float32)).numpy()
    assert np.isfinite(answer).all()
    assert (np.diff(answer) > 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("label", [False, True])
def test_labels_all_alike_give_a_finite_probability_close_to_them(method, label):
    found = probabilities(
        fitted(method, np.arange(98.0), [label] * 98), [-5.0, 50.0, 120.0]
    )
    np.testing.assert_allclose(found, 0.99 if label else 0.01, atol=0.005)


@pytest.mark.parametrize("method", METHODS)
def test_one_logit_for_all_has_the_share_of_the_positives(method):
    found = probabilities(
        fitted(method, [7.0] * 400, [True, False, False, False] * 100), [7.0]
    )
    np.testing.assert_allclose(found, 0.25, atol=0.005)


@pytest.mark.parametrize("method", METHODS)
def test_before_and_without_examples_logits_stay(method):
    for calibration in (Calibration(), fitted(method, [], [])):
        logits = tf.constant([[-3.0, 0.25, 9.0]])
        np.testing.assert_allclose(calibration(logits), logits, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_graph_made_before_the_fit_answers_like_the_fit(method):
    calibration = Calibration()
    graph = tf.function(calibration, input_signature=[tf.TensorSpec([None, None])])
    logits = tf.reshape(tf.linspace(-4.0, 4.0, 12), [3, 4])
    graph(logits)
    x, labels = simulated(lambda x: x > 0.2, n=500)
    calibration.fit(method, x, labels, np.ones(500))
    answer = graph(logits).numpy()
    np.testing.assert_allclose(answer, calibration(logits), rtol=1e-5)
    assert answer[0, 0] < -2 < 2 < answer[2, 3]
    assert graph(tf.zeros([0, 3])).shape == (0, 3)
