import datetime as dt
import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.contract.features import Feature
from tfrs_app.data.dataset import NumericStatistics
from tfrs_app.layers.inputs import (
    Bucketized,
    CalendarTime,
    FeatureInputs,
    Normalized,
    bucket_boundaries,
)

NAN = math.nan


def statistics(values, mean=0.0, std=1.0):
    """101 quantiles of the given numbers, each repeated so that they fill up."""
    values = sorted(values)
    quantiles = [
        values[min(i * len(values) // 101, len(values) - 1)] for i in range(101)
    ]
    return NumericStatistics(mean=mean, std=std, quantiles=tuple(quantiles))


def bucketized(buckets, stats):
    feature = Feature(
        name="size", role="candidate", kind="bucketized", buckets=buckets, dim=2
    )
    layer = Bucketized(feature, stats)
    layer(tf.constant([1.0]))
    return layer


def bucket_of(layer, values):
    """Tells each value's bucket by the row of the embedding that it gets."""
    rows = layer.embedding.embeddings.shape[0]
    layer.embedding.set_weights([np.array([[n, -n] for n in range(rows)])])
    answer = layer(tf.constant(values, tf.float32)).numpy()
    assert answer.shape == (len(values), 2)
    np.testing.assert_array_equal(answer[:, 0], -answer[:, 1])
    return answer[:, 0].tolist()


def test_normalized_scales_and_tells_missing_apart():
    layer = Normalized(statistics([0], mean=3.0, std=2.0), "size_normalized")
    answer = layer(tf.constant([3.0, 7.0, NAN])).numpy()
    assert answer.tolist() == [[0, 0], [2, 0], [0, 1]]
    assert layer.trainable_variables == []


def test_a_constant_column_is_not_divided_by_zero():
    layer = Normalized(statistics([5], mean=5.0, std=0.0), "size_normalized")
    assert layer(tf.constant([5.0])).numpy().tolist() == [[0, 0]]
    assert layer(tf.constant([6.0])).numpy().tolist() == [[1, 0]]


def test_buckets_are_equally_filled():
    stats = NumericStatistics(0, 1, tuple(float(n) for n in range(101)))
    assert bucket_boundaries(stats, 4) == [25.0, 50.0, 75.0]
    assert bucket_boundaries(stats, 2) == [50.0]
    assert len(bucket_boundaries(stats, 10)) == 9


def test_a_missing_number_has_its_own_bucket_and_a_boundary_opens_the_upper_one():
    stats = NumericStatistics(0, 1, tuple(float(n) for n in range(101)))
    values = [NAN, -1e30, 0.0, 24.9, 25.0, 49.0, 50.0, 75.0, 1e30, math.inf]
    assert bucket_of(bucketized(4, stats), values) == [0, 1, 1, 1, 2, 2, 3, 4, 4, 4]


def test_a_constant_column_has_three_buckets():
    layer = bucketized(10, statistics([5.0]))
    assert layer.boundaries == [5.0]
    assert bucket_of(layer, [4.0, 5.0, 6.0, NAN]) == [1, 2, 2, 0]
    assert layer.embedding.embeddings.shape == (3, 2)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=40),
    st.integers(2, 12),
    st.lists(st.integers(-60, 60), min_size=1, max_size=10),
)
def test_buckets_count_the_boundaries_that_a_value_reaches(column, buckets, values):
    layer = bucketized(buckets, statistics([float(v) for v in column]))
    bounds = layer.boundaries
    assert len(bounds) < buckets
    assert all(a < b for a, b in itertools.pairwise(bounds))
    expected = [1 + sum(value >= bound for bound in bounds) for value in values]
    assert bucket_of(layer, values) == expected


def calendar():
    feature = Feature(name="timestamp", role="context", kind="timestamp", dim=1)
    layer = CalendarTime(feature)
    layer(tf.constant([0], tf.int64))
    layer.hour.set_weights([np.arange(24.0).reshape(-1, 1)])
    layer.weekday.set_weights([np.arange(7.0).reshape(-1, 1)])
    return layer


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(10**10), 10**10), min_size=1, max_size=5))
def test_calendar_time_agrees_with_datetime(seconds):
    epoch = dt.datetime(1970, 1, 1)
    moments = [epoch + dt.timedelta(seconds=s) for s in seconds]
    expected = [[moment.hour, moment.weekday()] for moment in moments]
    assert calendar()(tf.constant(seconds, tf.int64)).numpy().tolist() == expected


def test_calendar_time_of_known_moments():
    # 2024-02-29 23:59:59 was a Thursday, the second after it a Friday.
    answer = calendar()(tf.constant([1709251199, 1709251200, -1], tf.int64)).numpy()
    assert answer.tolist() == [[23, 3], [0, 4], [23, 2]]


FEATURES = [
    Feature(name="colour", role="candidate", kind="categorical", dim=3),
    Feature(name="size", role="candidate", kind="numeric"),
    Feature(name="title", role="candidate", kind="text"),
    Feature(name="price", role="candidate", kind="bucketized", dim=4),
]


@pytest.mark.parametrize("shape", [[0], [1], [5], [2, 3]])
def test_features_become_one_vector_each_in_order(shape):
    stats = {"size": statistics([1.0]), "price": statistics([1.0])}
    layer = FeatureInputs(FEATURES, {"colour": ["red"]}, stats, "inputs")
    parts = layer(
        {
            "colour": tf.fill(shape, 2),
            "size": tf.fill(shape, NAN),
            "price": tf.fill(shape, 7.0),
        }
    )
    assert [part.shape.as_list() for part in parts] == [[*shape, n] for n in (3, 2, 4)]
    assert not any(np.isnan(part).any() for part in parts)


def test_an_empty_vocabulary_still_has_rows_for_missing_and_unknown():
    layer = FeatureInputs(FEATURES[:1], {"colour": []}, {}, "inputs")
    (part,) = layer({"colour": tf.constant([0, 1])})
    assert part.shape == (2, 3)


def test_texts_share_one_projection_and_a_missing_one_is_zeros():
    two = [FEATURES[2], FEATURES[2].model_copy(update={"name": "words"})]
    vectors = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
    layer = FeatureInputs(two, {}, {}, "inputs", vectors, 3)
    rows = tf.constant([[0, 1, 2]])
    title, words = layer({"title": rows, "words": rows})
    (matrix,) = layer.trainable_weights
    expected = np.stack([matrix[0], 2 * matrix[1], np.zeros(3)])
    np.testing.assert_allclose(title[0], expected, atol=1e-6)
    np.testing.assert_array_equal(title, words)


def test_no_features_give_nothing():
    assert FeatureInputs([], {}, {}, "inputs")({}) == []
