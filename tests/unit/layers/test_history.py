import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.layers.history import HistoryPooling

SPEC = FeatureSpec(event_weights={"view": 0.25, "purchase": 1.0, "cart": 0.5})
# Index of a type: 0 padding, 1 unknown (counts like the least), 2 view, ...
WEIGHT_OF_TYPE = {0: 0.0, 1: 0.25, 2: 0.25, 3: 1.0, 4: 0.5}


def expected(embeddings, items, types, ages, half_life):
    answer = []
    for row in range(len(items)):
        total, weights = np.zeros(embeddings.shape[-1]), 0.0
        for i in range(len(items[row])):
            if items[row][i] == 0:
                continue
            weight = WEIGHT_OF_TYPE[types[row][i]]
            if half_life:
                weight *= 2 ** (-max(ages[row][i], 0) / half_life)
            total += weight * embeddings[row][i]
            weights += weight
        answer.append(total / weights if weights else total)
    return np.array(answer)


def pooled(embeddings, items, types, ages, half_life):
    return HistoryPooling(SPEC, half_life)(
        tf.constant(embeddings, tf.float32),
        tf.constant(items),
        tf.constant(types),
        tf.constant(ages, tf.float32),
    ).numpy()


@pytest.mark.parametrize("half_life", [None, 0.5, 30.0])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_the_weighted_mean(half_life, batch, seed):
    random = np.random.default_rng(seed)
    items = random.integers(0, 4, (batch, 6))
    types = random.integers(0, 5, (batch, 6))
    ages = random.uniform(-1, 20, (batch, 6))
    embeddings = random.normal(size=(batch, 6, 3))
    np.testing.assert_allclose(
        pooled(embeddings, items, types, ages, half_life),
        expected(embeddings, items, types, ages, half_life),
        atol=1e-5,
    )


def test_an_event_of_one_half_life_counts_half():
    answer = pooled([[[3.0], [0.0]]], [[2, 3]], [[3, 3]], [[30.0, 0.0]], 30.0)
    assert answer.tolist() == [[1.0]]  # (0.5 * 3 + 1 * 0) / 1.5


def test_without_a_half_life_age_does_not_matter():
    answer = pooled([[[3.0], [0.0]]], [[2, 3]], [[3, 3]], [[9000.0, 0.0]], None)
    assert answer.tolist() == [[1.5]]


def test_an_event_of_the_future_counts_like_one_of_now():
    answer = pooled([[[3.0], [0.0]]], [[2, 3]], [[3, 3]], [[-300.0, 0.0]], 30.0)
    assert answer.tolist() == [[1.5]]


def test_a_view_counts_a_quarter_of_a_purchase_and_an_unknown_type_as_little():
    for index in (1, 2):
        answer = pooled([[[5.0], [0.0]]], [[2, 3]], [[index, 3]], [[0, 0]], None)
        assert answer.tolist() == [[1.0]]  # 0.25 * 5 / 1.25


@pytest.mark.parametrize("length", [0, 1, 4])
def test_an_empty_history_gives_zeros(length):
    zeros = np.zeros((2, length), int)
    answer = pooled(np.ones((2, length, 3)), zeros, zeros, zeros, 30.0)
    assert answer.tolist() == [[0.0] * 3] * 2


def test_padding_with_an_old_timestamp_leaves_no_nan():
    answer = pooled([[[1.0], [2.0]]], [[0, 2]], [[0, 3]], [[20000.0, 0.0]], 0.01)
    assert answer.tolist() == [[2.0]]


def test_a_history_of_unknown_items_only_is_their_embedding():
    answer = pooled([[[4.0], [4.0]]], [[1, 1]], [[3, 2]], [[1.0, 2.0]], 30.0)
    np.testing.assert_allclose(answer, [[4.0]], rtol=1e-6)
