import math

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.layers.softmax import softmax_loss


def loop(scores, query, candidate, weight, log_inclusion, is_negative, hardest=None):
    """The loss from its definition, one example after the other."""
    total = 0.0
    for q, c, w in zip(query, candidate, weight, strict=True):
        own = {d for r, d in zip(query, candidate, strict=True) if r == q}
        negatives = sorted(
            (
                scores[q][j] - log_inclusion[j]
                for j in range(len(log_inclusion))
                if is_negative[j] and j not in own
            ),
            reverse=True,
        )[:hardest]
        below = math.exp(scores[q][c]) + sum(math.exp(s) for s in negatives)
        total -= w * (scores[q][c] - math.log(below))
    return total / sum(weight)


def case(seed, queries=3, candidates=7, examples=6):
    random = np.random.default_rng(seed)
    pairs = random.permutation(queries * candidates)[:examples]  # distinct
    return {
        "scores": random.normal(0, 3, (queries, candidates)),
        "query": pairs // candidates,
        "candidate": pairs % candidates,
        "weight": random.uniform(0.1, 2, examples),
        "log_inclusion": np.log(random.uniform(0.01, 1, candidates)),
        "is_negative": random.random(candidates) < 0.7,
    }


def loss_of(values, **more):
    dtypes = {"query": tf.int32, "candidate": tf.int32, "is_negative": tf.bool}
    tensors = {
        k: v
        if isinstance(v, tf.Variable)
        else tf.constant(v, dtypes.get(k, tf.float32))
        for k, v in values.items()
    }
    return softmax_loss(tensors.pop("scores"), **tensors, **more)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("hardest", [None, 1, 3, 100])
def test_it_is_its_definition(seed, hardest):
    values = case(seed)
    expected = loop(**values, hardest=hardest)
    assert float(loss_of(values, hardest=hardest)) == pytest.approx(expected, rel=1e-4)


def test_each_query_may_have_negatives_of_its_own():
    values = case(5)
    open_ones = np.random.default_rng(9).random((3, 7)) < 0.5
    together = float(loss_of(values | {"is_negative": open_ones}))
    parts = []
    for q in range(3):
        mine = values["query"] == q
        alone = values | {
            name: values[name][mine] for name in ("query", "candidate", "weight")
        }
        if mine.any():
            share = alone["weight"].sum() / values["weight"].sum()
            parts.append(share * loop(**alone | {"is_negative": open_ones[q]}))
    assert together == pytest.approx(sum(parts), rel=1e-4)


def test_over_the_whole_catalogue_it_is_the_plain_cross_entropy():
    values = case(1, examples=3) | {
        "query": [0, 1, 2],
        "candidate": [4, 4, 0],
        "weight": [1.0, 1.0, 1.0],
        "log_inclusion": np.zeros(7),
        "is_negative": np.ones(7, bool),
    }
    plain = tf.nn.sparse_softmax_cross_entropy_with_logits([4, 4, 0], values["scores"])
    assert float(loss_of(values)) == pytest.approx(
        float(tf.reduce_mean(plain)), rel=1e-5
    )


@pytest.mark.parametrize("hardest", [None, 3])
def test_its_gradient_is_the_slope_of_its_definition(hardest):
    values = case(4)
    scores = tf.Variable(values["scores"], dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = 5.0 * loss_of(values | {"scores": scores}, hardest=hardest)
    slopes = np.zeros_like(values["scores"])
    for place in np.ndindex(slopes.shape):
        step = np.zeros_like(slopes)
        step[place] = 1e-5
        above, below = (
            loop(**values | {"scores": values["scores"] + sign * step}, hardest=hardest)
            for sign in (1, -1)
        )
        slopes[place] = 5.0 * (above - below) / 2e-5
    np.testing.assert_allclose(tape.gradient(loss, scores), slopes, atol=1e-4)


def test_sampling_estimates_the_sum_over_the_catalogue_without_bias():
    """Candidates kept with known probability give the whole sum on average."""
    random = np.random.default_rng(0)
    scores = random.normal(size=50)
    inclusion = random.uniform(0.2, 0.9, 50)
    first = {"query": [0], "candidate": [0], "weight": [1.0]}
    vector = tf.TensorSpec([None])
    graph = tf.function(
        lambda scores, log_inclusion: softmax_loss(
            scores[tf.newaxis],
            log_inclusion=log_inclusion,
            is_negative=tf.range(tf.size(scores)) > 0,
            **{name: tf.constant(value) for name, value in first.items()},
        ),
        input_signature=[vector, vector],
    )
    sums = []
    for _ in range(3000):
        kept = random.random(50) < inclusion
        kept[0] = False
        columns = [0.0, *scores[kept]], [0.0, *np.log(inclusion[kept])]
        loss = graph(*(tf.constant(column, tf.float32) for column in columns))
        sums.append(math.exp(float(loss)) - 1.0)
    assert np.mean(sums) == pytest.approx(np.exp(scores[1:]).sum(), rel=0.03)


def test_no_negative_or_no_weight_is_no_loss():
    values = case(2) | {"is_negative": np.zeros(7, bool)}
    assert float(loss_of(values)) == 0.0
    assert float(loss_of(case(2) | {"weight": np.zeros(6)})) == 0.0


def test_huge_scores_leave_loss_and_gradient_finite():
    values = case(3) | {"scores": case(3)["scores"] * 1e4}
    scores = tf.Variable(values.pop("scores"), dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = loss_of({"scores": scores} | values)
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, scores).numpy()).all()
