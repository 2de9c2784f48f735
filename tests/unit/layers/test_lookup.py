import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.contract.features import Feature, FeatureSpec
from tfrs_app.layers.lookup import FeatureLookup

SPEC = FeatureSpec(
    features=[
        Feature(name="colour", role="candidate", kind="categorical"),
        Feature(name="city", role="query", kind="categorical"),
        Feature(name="size", role="candidate", kind="numeric"),
        Feature(name="title", role="candidate", kind="text"),
    ],
    event_weights={"view": 0.5, "purchase": 1.0},
)
VOCABULARIES = {
    "item_id": ["i9", "i1", "i5"],
    "colour": ["red", "[UNK]", "Köln"],
    "city": ["Bonn"],
}


@pytest.fixture(scope="module")
def lookup():
    return FeatureLookup(SPEC, VOCABULARIES)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("item_id", ["", "i9", "i1", "i5", "i7", "I9"], [0, 2, 3, 4, 1, 1]),
        ("colour", ["red", "[UNK]", "Köln", "[MASK]", "", " "], [2, 3, 4, 1, 0, 1]),
        ("city", ["Ulm", "", "Bonn"], [1, 0, 2]),
        ("colour", ["[UNK]"], [3]),
        ("colour", ["\n"], [1]),
    ],
)
def test_padding_is_0_unknown_1_and_tokens_follow(lookup, name, values, expected):
    assert lookup({name: tf.constant(values)})[name].numpy().tolist() == expected


def test_histories_share_the_items_table(lookup):
    history = tf.constant([["", "i5"], ["i7", "i9"]])
    types = tf.constant([["", "view"], ["purchase", "return"]])
    found = lookup({"history_item_id": history, "history_event_type": types})
    assert found["history_item_id"].numpy().tolist() == [[0, 4], [1, 2]]
    assert found["history_event_type"].numpy().tolist() == [[0, 2], [3, 1]]


@pytest.mark.parametrize("shape", [[0], [1, 0], [3, 0], [0, 4], [1, 1], [1]])
def test_shapes_stay_as_they_are(lookup, shape):
    values = tf.fill(shape, "i9")
    assert lookup({"item_id": values})["item_id"].shape == shape


def test_numbers_and_other_names_pass_unchanged(lookup):
    inputs = {"size": tf.constant([1.5]), "timestamp": tf.constant([7], tf.int64)}
    found = lookup(inputs)
    assert set(found) == {"size", "timestamp"}
    np.testing.assert_array_equal(found["size"], [1.5])
    assert found["timestamp"].dtype == tf.int64


def test_it_trains_nothing(lookup):
    lookup({"item_id": tf.constant(["i9"])})
    assert lookup.trainable_variables == []
