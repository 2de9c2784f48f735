"""The network against matrices multiplied by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.layers.dcn import DeepCrossNetwork

WIDTH, TASKS = 5, 2
CONFIGS = [
    {},
    {"cross_rank": 2},
    {"parallel": True},
    {"experts": 3},
    {"experts": 2, "parallel": True, "cross_rank": 1},
    {"cross_layers": 0},
    {"deep_layers": ()},
]


def network(**changes):
    config = RankingConfig(**{"deep_layers": (4, 3), "cross_layers": 2, **changes})
    made = DeepCrossNetwork(config, TASKS)
    made(tf.zeros([1, 1, WIDTH]))
    random = np.random.default_rng(3)
    for variable in made.trainable_variables:  # biases start at zero
        variable.assign(random.normal(size=variable.shape))
    return made


def told(*shape):
    values = np.random.default_rng(4).normal(size=(*shape, WIDTH))
    return values.astype(np.float32)


def dense(layer, x):
    kernel, bias = (variable.numpy() for variable in layer.trainable_variables)
    return x @ kernel + bias


def crossed(layer, start, x):
    *down, kernel, bias = (variable.numpy() for variable in layer.trainable_variables)
    for projection in down:
        wide = x @ projection
        return start * (wide @ kernel + bias) + x
    return start * (x @ kernel + bias) + x


def expected(made, start):
    """What the papers say, one candidate at a time."""
    x = start
    for layer in made.cross:
        x = crossed(layer, start, x)
    deep = []
    for expert in made.experts:
        y = start if made.parallel else x
        for layer in expert.stack:
            y = np.maximum(dense(layer, y), 0)
        deep.append(y)
    logits = []
    for task in range(TASKS):
        own = deep[0]
        if made.gates:
            shares = np.exp(dense(made.gates[task], start))
            own = sum(s * y for s, y in zip(shares / shares.sum(), deep, strict=True))
        if made.parallel:
            own = np.concatenate([x, own])
        logits.append(dense(made.heads[task], own)[0])
    return logits


@pytest.mark.parametrize("changes", CONFIGS)
def test_logits_are_what_the_papers_say(changes):
    made, x = network(**changes), told(2, 3)
    found = made(x).numpy()
    assert found.shape == (2, 3, TASKS)
    for place in np.ndindex(2, 3):
        np.testing.assert_allclose(found[place], expected(made, x[place]), rtol=1e-4)


@pytest.mark.parametrize("changes", CONFIGS)
def test_every_weight_learns(changes):
    made = network(**changes)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(told(8, 4)) ** 2)
    gradients = tape.gradient(loss, made.trainable_variables)
    assert all(np.any(gradient.numpy()) for gradient in gradients)


def test_only_training_drops_what_it_is_told():
    made, x = network(dropout=0.5), told(4, 3)
    np.testing.assert_array_equal(made(x), made(x))
    assert np.any(made(x, training=True) != made(x))
