import math

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.layers.history import (
    AttentionHistory,
    Histories,
    HistorySummary,
    MeanHistory,
    OwnItemsFirst,
)

SPEC = FeatureSpec(event_weights={"view": 0.25, "purchase": 1.0, "cart": 0.5})
# Index of a type: 0 padding, 1 unknown (counts like the least), 2 view, ...
WEIGHT_OF_TYPE = {0: 0.0, 1: 0.25, 2: 0.25, 3: 1.0, 4: 0.5}


def histories(vectors, items, types, ages):
    return Histories(
        tf.constant(vectors, tf.float32),
        tf.constant(items, tf.int32),
        tf.constant(types, tf.int32),
        tf.constant(ages, tf.float32),
    )


def random_histories(seed, batch):
    random = np.random.default_rng(seed)
    return (
        random.normal(size=(batch, 6, 3)),
        random.integers(0, 4, (batch, 6)),
        random.integers(0, 5, (batch, 6)),
        random.uniform(-1, 20, (batch, 6)),
    )


def mean_of(vectors, items, types, ages, half_life):
    answer = []
    for row in range(len(items)):
        total, weights = np.zeros(np.shape(vectors)[-1]), 0.0
        for i in range(len(items[row])):
            if items[row][i] == 0:
                continue
            weight = WEIGHT_OF_TYPE[types[row][i]]
            weight *= 2 ** (-max(ages[row][i], 0) / half_life)
            total += weight * np.asarray(vectors[row][i])
            weights += weight
        answer.append(total / weights if weights else total)
    return np.array(answer)


@pytest.mark.parametrize("half_lives", [[0.5], [30.0, 2.0], [math.inf]])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_mean_is_weighted_once_a_half_life(half_lives, batch, seed):
    inputs = random_histories(seed, batch)
    expected = np.concatenate([mean_of(*inputs, days) for days in half_lives], axis=1)
    answer = MeanHistory(SPEC, half_lives)(histories(*inputs)).numpy()
    np.testing.assert_allclose(answer, expected, atol=1e-5)


def pooled(vectors, items, types, ages, half_life):
    inputs = histories(vectors, items, types, ages)
    return MeanHistory(SPEC, [half_life])(inputs).numpy().tolist()


def test_an_event_of_one_half_life_counts_half():
    assert pooled([[[3.0], [0.0]]], [[2, 3]], [[3, 3]], [[30.0, 0.0]], 30.0) == [[1.0]]


def test_an_event_of_the_future_counts_like_one_of_now():
    answer = pooled([[[3.0], [0.0]]], [[2, 3]], [[3, 3]], [[-300.0, 0.0]], 30.0)
    assert answer == [[1.5]]


def test_a_view_counts_a_quarter_of_a_purchase_and_an_unknown_type_as_little():
    for index in (1, 2):
        answer = pooled([[[5.0], [0.0]]], [[2, 3]], [[index, 3]], [[0, 0]], 30.0)
        np.testing.assert_allclose(answer, [[1.0]], rtol=1e-6)  # 0.25 * 5 / 1.25


LAYERS = {
    "mean": lambda: MeanHistory(SPEC, [30.0, 1.0]),
    "attention": lambda: AttentionHistory(SPEC, 2),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("length", [0, 1, 4])
def test_an_empty_history_gives_zeros(layer, length):
    zeros = np.zeros((2, length), int)
    inputs = histories(np.ones((2, length, 3)), zeros, zeros, zeros)
    assert LAYERS[layer]()(inputs).numpy().tolist() == [[0.0] * 6] * 2


@pytest.mark.parametrize("layer", LAYERS)
def test_padding_with_an_old_timestamp_changes_nothing(layer):
    made = LAYERS[layer]()
    alone = made(histories([[[2.0]]], [[3]], [[3]], [[0.0]])).numpy()
    padded = made(histories([[[1.0], [2.0]]], [[0, 3]], [[0, 3]], [[20000.0, 0.0]]))
    np.testing.assert_allclose(padded.numpy(), alone, atol=1e-6)
    np.testing.assert_allclose(alone, [[2.0, 2.0]], atol=1e-6)


def test_attention_is_a_softmax_over_content_type_and_age():
    layer = AttentionHistory(SPEC, 2)
    vectors, items, types, ages = random_histories(4, 5)
    layer(histories(vectors, items, types, ages))
    layer.types.set_weights([np.random.default_rng(1).normal(size=(5, 2))])
    answer = layer(histories(vectors, items, types, ages)).numpy()
    content, kinds = layer.content.get_weights()[0], layer.types.get_weights()[0]
    forgetting = np.log1p(np.exp(layer.forgetting.numpy()))
    for row in range(5):
        for head in range(2):
            total, weights = np.zeros(3), 0.0
            for i in range(6):
                if items[row][i]:
                    logit = (
                        vectors[row][i] @ content[:, head] + kinds[types[row][i], head]
                    )
                    logit -= forgetting[head] * math.log(1 + max(ages[row][i], 0))
                    total += math.exp(logit) * vectors[row][i]
                    weights += math.exp(logit)
            expected = total / weights if weights else total
            np.testing.assert_allclose(
                answer[row, 3 * head : 3 * head + 3], expected, atol=1e-4
            )


def test_huge_logits_stay_finite():
    layer = AttentionHistory(SPEC, 1)
    inputs = histories([[[1e4], [-1e4]]], [[2, 3]], [[2, 2]], [[0, 0]])
    layer(inputs)
    layer.content.set_weights([np.array([[1e3]])])
    assert np.isfinite(layer(inputs).numpy()).all()


@pytest.mark.parametrize(
    ("items", "ages", "expected"),
    [
        ([0, 2, 3], [9.0, 5.0, 2.0], [2, 2.0]),
        ([2, 2, 3], [9.0, -4.0, 2.0], [3, 0.0]),
        ([0, 0, 0], [9.0, 5.0, 2.0], [0, 0.0]),
        ([], [], [0, 0.0]),
    ],
)
def test_the_summary_counts_events_and_the_days_since_the_last(items, ages, expected):
    inputs = histories(np.zeros((1, len(items), 1)), [items], [items], [ages])
    answer = HistorySummary()(inputs).numpy()
    np.testing.assert_allclose(np.expm1(answer), [expected], atol=1e-5)


@pytest.mark.parametrize(
    ("items", "latest"),
    [
        ([[0, 0, 5, 7, 5]], [[0, 1, 0, 1, 1]]),  # of padding too, which has no weight
        ([[3, 3, 3], [1, 2, 1]], [[0, 0, 1], [0, 1, 1]]),
        ([[2**31 - 1, 4, 2**31 - 1]], [[0, 1, 1]]),
        ([[9]], [[1]]),
    ],
)
def test_the_latest_event_of_each_item_is_told(items, latest):
    nothing = np.zeros(np.shape(items))
    found = histories(nothing[..., None], items, nothing, nothing).latest
    assert found.numpy().astype(int).tolist() == latest


@pytest.mark.parametrize("seed", range(3))
def test_the_latest_are_those_that_a_loop_finds(seed):
    _, items, types, ages = random_histories(seed, 9)
    found = histories(np.zeros((9, 6, 1)), items, types, ages).latest.numpy()
    for row, latest in zip(items.tolist(), found.tolist(), strict=True):
        assert latest == [item not in row[n + 1 :] for n, item in enumerate(row)]


@pytest.mark.parametrize(
    ("items", "earliest"),
    [
        ([[0, 0, 5, 7, 5]], [[1, 0, 1, 1, 0]]),  # of padding too, as above
        ([[3, 3, 3], [1, 2, 1]], [[1, 0, 0], [1, 1, 0]]),
        ([[2**31 - 1, 4, 2**31 - 1]], [[1, 1, 0]]),
        ([[9]], [[1]]),
    ],
)
def test_the_earliest_event_of_each_item_is_told(items, earliest):
    nothing = np.zeros(np.shape(items))
    found, _ = histories(nothing[..., None], items, nothing, nothing).edges()
    assert found.numpy().astype(int).tolist() == earliest


@pytest.mark.parametrize("seed", range(3))
def test_the_earliest_are_those_that_a_loop_finds(seed):
    _, items, types, ages = random_histories(seed, 9)
    first, _ = histories(np.zeros((9, 6, 1)), items, types, ages).edges()
    for row, earliest in zip(items.tolist(), first.numpy().tolist(), strict=True):
        assert earliest == [item not in row[:n] for n, item in enumerate(row)]


def test_of_no_events_none_is_first_or_last():
    none = histories(np.zeros((2, 0, 1)), *[np.zeros((2, 0))] * 3)
    assert [edge.shape for edge in none.edges()] == [(2, 0), (2, 0)]
    assert none.latest.shape == (2, 0)


@pytest.mark.parametrize("means", [1, 3])
def test_a_projection_starts_with_the_leading_columns_of_the_means(means):
    tf.keras.utils.set_random_seed(1)
    dim, width = 4, 6
    kernel = OwnItemsFirst(means)([means * width, dim]).numpy()
    identity = np.eye(width, dim) * OwnItemsFirst.GAIN
    limit = math.sqrt(6 / (means * width + dim))  # of Glorot's draw
    drawn = kernel - np.concatenate([identity / means] * means)
    assert np.abs(drawn).max() <= limit
    assert drawn.std() > limit / 4
