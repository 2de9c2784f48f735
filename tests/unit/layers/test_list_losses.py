import math

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.layers.list_losses import list_loss

KINDS = ["binary", "softmax", "pairwise"]


def binary(logits, labels, weight):
    """Mean over all candidates, however they are parted into lists."""
    lost = total = 0.0
    for z, positive, w in zip(logits.flat, labels.flat, weight.flat, strict=True):
        p = 1 / (1 + math.exp(-z))
        lost -= w * math.log(p if positive else 1 - p)
        total += w
    return lost / total


def softmax(logits, labels, weight):
    parts = [math.exp(z) * w for z, w in zip(logits, weight, strict=True)]
    return [
        -math.log(math.exp(z) / sum(parts))
        for z, positive, w in zip(logits, labels, weight, strict=True)
        if positive and w > 0
    ], None


def pairwise(logits, labels, weight):
    lost, weights = [], []
    for i in range(len(logits)):
        for j in range(len(logits)):
            if labels[i] and weight[i] > 0 and not labels[j] and weight[j] > 0:
                p = 1 / (1 + math.exp(logits[j] - logits[i]))
                lost.append(-math.log(p))
                weights.append(weight[j])
    return lost, weights


def loop(kind, logits, labels, weight):
    """The loss from its definition: each list that has something to learn counts 1."""
    if kind == "binary":
        return binary(logits, labels, weight)
    of_list, means = {"softmax": softmax, "pairwise": pairwise}[kind], []
    for row in zip(logits, labels, weight, strict=True):
        lost, weights = of_list(*row)
        if lost:
            means.append(np.average(lost, weights=weights))
    return sum(means) / len(means) if means else 0.0


def case(seed, lists=5, n=6):
    random = np.random.default_rng(seed)
    weight = random.uniform(0.5, 30, (lists, n)) * (random.random((lists, n)) < 0.8)
    labels = (random.random((lists, n)) < 0.3).astype(float)
    return random.normal(0, 3, (lists, n)), labels, weight


def loss_of(kind, *values):
    tensors = [
        v if isinstance(v, tf.Variable) else tf.constant(v, tf.float32) for v in values
    ]
    return list_loss(kind, *tensors)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lists", [1, 5])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_its_definition(kind, lists, seed):
    values = case(seed, lists)
    assert float(loss_of(kind, *values)) == pytest.approx(loop(kind, *values), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_its_gradient_is_the_slope_of_its_definition(kind):
    logits, labels, weight = case(3, 2, 4)
    variable = tf.Variable(logits, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = loss_of(kind, variable, labels, weight)
    slopes = np.zeros_like(logits)
    for place in np.ndindex(slopes.shape):
        step = np.zeros_like(slopes)
        step[place] = 1e-5
        above, below = (
            loop(kind, logits + sign * step, labels, weight) for sign in (1, -1)
        )
        slopes[place] = (above - below) / 2e-5
    np.testing.assert_allclose(tape.gradient(loss, variable), slopes, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("logit", [-1e6, 0.0, 1e6])
def test_a_candidate_without_weight_changes_nothing(kind, label, logit):
    logits, labels, weight = case(0)
    more = [
        np.append(x, np.full((5, 1), value), axis=1)
        for x, value in [(logits, logit), (labels, label), (weight, 0.0)]
    ]
    bare = float(loss_of(kind, logits, labels, weight))
    assert float(loss_of(kind, *more)) == pytest.approx(bare, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_negative_that_stands_for_three_is_three_negatives(kind):
    logits, labels = np.array([[1.0, -0.5, 2.0]]), np.array([[1.0, 0.0, 0.0]])
    thrice = [np.append(x, x[:, 1:2].repeat(2, 1), 1) for x in (logits, labels)]
    weighted = float(loss_of(kind, logits, labels, [[1.0, 3.0, 1.0]]))
    assert float(loss_of(kind, *thrice, np.ones((1, 5)))) == pytest.approx(weighted)


@pytest.mark.parametrize("kind", ["softmax", "pairwise"])
def test_a_list_without_a_positive_does_not_count(kind):
    logits, labels, weight = case(1, lists=2)
    labels[1] = 0.0
    alone = loss_of(kind, logits[:1], labels[:1], weight[:1])
    both = loss_of(kind, logits, labels, weight)
    assert float(alone) == pytest.approx(float(both), rel=1e-6)
    assert float(alone) > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("label", "weight"), [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_loss_and_gradient_stay_finite(kind, label, weight, scale):
    logits, shape = tf.Variable(case(2)[0] * scale, dtype=tf.float32), (5, 6)
    with tf.GradientTape() as tape:
        loss = loss_of(kind, logits, np.full(shape, label), np.full(shape, weight))
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, logits).numpy()).all()
    if not weight:
        assert float(loss) == 0.0
