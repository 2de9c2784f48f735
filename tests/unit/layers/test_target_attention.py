"""The layer against plain loops over one candidate and one event at a time."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.contract.ranking_config import TargetAttentionConfig
from tfrs_app.layers.target_attention import TargetAttention

NOTHING = -1
TYPES, WIDTH, ITEMS = 4, 5, 9
CONFIG = TargetAttentionConfig(history=6, dim=3, units=7)


def queries(batch, length, n, seed):
    """Events oldest first, padded in front, and candidates that repeat some."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    table[0] = 0.0  # an item of which nothing was learned
    past_row = random.integers(0, ITEMS, (batch, length))
    past_row[np.arange(length) < random.integers(0, length + 1, (batch, 1))] = NOTHING
    row = random.integers(0, ITEMS, (batch, n))
    return {
        "past": table[np.maximum(past_row, 0)],
        "past_row": past_row.astype(np.int32),
        "event_type": random.integers(0, TYPES, (batch, length)),
        "age_days": random.normal(3, 4, (batch, length)).astype(np.float32),
        "vectors": table[row],
        "row": row.astype(np.int32),
    }


@pytest.fixture(scope="module")
def layer():
    made = TargetAttention(TYPES, CONFIG)
    made(**{name: tf.constant(v) for name, v in queries(1, 2, 2, 0).items()})
    random = np.random.default_rng(7)
    for variable in made.trainable_variables:  # some start at zero
        variable.assign(random.normal(size=variable.shape))
    return made


def answer(layer, given):
    return layer(**{name: tf.constant(value) for name, value in given.items()}).numpy()


def unit(vector):
    length = math.sqrt(sum(float(x) ** 2 for x in vector))
    return [float(x) / length if length else 0.0 for x in vector]


def turned(vector, kernel):
    return [
        sum(x * float(kernel[i, j]) for i, x in enumerate(vector))
        for j in range(kernel.shape[1])
    ]


def expected(layer, given, place, number):
    """What one candidate is told, from the formula of the activation unit."""
    project = layer.project.kernel.numpy()
    asked = turned(unit(given["vectors"][place, number]), project)
    sums = [0.0] * (CONFIG.dim + 1)
    for event, row in enumerate(given["past_row"][place]):
        if row == NOTHING:
            continue
        had = turned(unit(given["past"][place, event]), project)
        age = math.log1p(max(float(given["age_days"][place, event]), 0.0))
        told = turned([*had, age], layer.event.kernel.numpy())
        kind = layer.types.embeddings.numpy()[given["event_type"][place, event]]
        mine = turned(asked, layer.candidate.kernel.numpy())
        weight, again = 0.0, float(layer.again.bias.numpy()[0])
        for u in range(CONFIG.units):
            both = sum(
                float(layer.product.numpy()[u, d]) * had[d] * asked[d]
                for d in range(CONFIG.dim)
            )
            hidden = told[u] + float(layer.event.bias.numpy()[u]) + float(kind[u])
            again += max(hidden, 0.0) * float(layer.again.kernel.numpy()[u, 0])
            hidden += mine[u] + both
            weight += max(hidden, 0.0) * float(layer.activation.numpy()[u, 0])
        if row == given["row"][place, number]:
            weight += again
        for d, value in enumerate([*had, 1.0]):
            sums[d] += weight * value
    return [*(s / math.sqrt(CONFIG.history) for s in sums), *asked]


@pytest.mark.parametrize(
    ("batch", "length", "n"), [(1, 1, 1), (4, 6, 5), (3, 2, 8), (2, 0, 3)]
)
def test_every_candidate_is_told_what_the_formula_says(layer, batch, length, n):
    given = queries(batch, length, n, seed=batch)
    found = answer(layer, given)
    assert found.shape == (batch, n, 2 * CONFIG.dim + 1)
    for place, number in np.ndindex(batch, n):
        wanted = expected(layer, given, place, number)
        np.testing.assert_allclose(found[place, number], wanted, rtol=1e-4, atol=1e-4)


def test_padding_changes_nothing(layer):
    given = queries(3, 4, 5, seed=1)
    longer = {
        **given,
        "past": np.pad(given["past"], [(0, 0), (2, 0), (0, 0)], constant_values=9.0),
        "past_row": np.pad(
            given["past_row"], [(0, 0), (2, 0)], constant_values=NOTHING
        ),
        "event_type": np.pad(given["event_type"], [(0, 0), (2, 0)], constant_values=2),
        "age_days": np.pad(given["age_days"], [(0, 0), (2, 0)], constant_values=50.0),
    }
    np.testing.assert_allclose(answer(layer, longer), answer(layer, given), atol=1e-5)


def test_candidates_do_not_see_each_other(layer):
    given = queries(2, 5, 6, seed=2)
    order = np.array([3, 0, 5, 1, 4, 2])
    other = {
        **given,
        "vectors": given["vectors"][:, order],
        "row": given["row"][:, order],
    }
    np.testing.assert_allclose(
        answer(layer, other), answer(layer, given)[:, order], atol=1e-5
    )


def test_more_of_the_same_weighs_more(layer):
    """Activations are not normalised: two equal events count twice."""
    once = {name: v[:1] for name, v in queries(1, 1, 4, seed=5).items()}
    once["past_row"] = np.array([[3]], np.int32)
    twice = {
        **once,
        **{
            name: np.repeat(once[name], 2, axis=1)
            for name in ("past", "past_row", "event_type", "age_days")
        },
    }
    summed = CONFIG.dim + 1
    np.testing.assert_allclose(
        answer(layer, twice)[..., :summed],
        2 * answer(layer, once)[..., :summed],
        rtol=1e-4,
        atol=1e-5,
    )


def test_everything_is_learned():
    made = TargetAttention(TYPES, CONFIG)
    given = {name: tf.constant(v) for name, v in queries(4, 6, 5, 3).items()}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(**given) ** 2)
    gradients = tape.gradient(loss, made.trainable_variables)
    assert len(gradients) == 9
    for gradient in map(tf.convert_to_tensor, gradients):
        assert np.abs(gradient.numpy()).sum() > 0
