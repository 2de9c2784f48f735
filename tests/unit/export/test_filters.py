import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.contract.features import Feature, FeatureSpec
from tfrs_app.export.filters import ItemFilters

SPEC = FeatureSpec(
    features=(
        Feature(name="colour", role="candidate", kind="categorical"),
        Feature(name="price", role="candidate", kind="numeric"),
        Feature(name="stars", role="candidate", kind="bucketized"),
        Feature(name="title", role="candidate", kind="text"),
        Feature(name="city", role="query", kind="categorical"),
    )
)
COLOURS = ["red", "", "blue", "red", "ä"]
PRICES = [1.0, 2.5, math.nan, 4.0, 4.0]
CATALOGUE = {
    "item_id": np.array([b"a", b"b", b"c", b"d", b"e"], object),
    "colour": np.array([c.encode() for c in COLOURS], object),
    "price": np.array(PRICES, np.float32),
    "stars": np.array([1, 2, 3, 4, 5], np.float32),
    "title": np.array([b"x"] * 5, object),
}
FILTERS = ItemFilters(SPEC, CATALOGUE)


def asked(**given):
    inputs = {name: one.default for name, one in FILTERS.inputs.items()}
    for name, value in given.items():
        dtype = inputs[name].dtype
        array = np.array(value, object if dtype == tf.string else np.float32)
        inputs[name] = (
            tf.constant(array, dtype) if array.size else tf.zeros(array.shape, dtype)
        )
    return inputs


def forbidden(batch=1, **given):
    return FILTERS.forbidden(asked(**given), tf.constant(batch)).numpy()


def test_every_column_but_texts_can_be_filtered_by():
    assert set(FILTERS.inputs) == {
        "allow_colour", "block_colour", "min_price", "max_price", "min_stars",
        "max_stars",
    }  # fmt: skip


def test_nothing_asked_nothing_forbidden():
    assert not forbidden(batch=2).any()
    assert not FILTERS.are_set(asked())
    assert not FILTERS.are_set(asked(allow_colour=[["", ""]], min_price=[math.nan]))
    assert not forbidden(allow_colour=[["", ""]], block_colour=[[""]]).any()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"allow_colour": [["red"]]}, "ad"),
        ({"allow_colour": [["red", "ä", ""]]}, "ade"),
        ({"allow_colour": [["green"]]}, ""),
        ({"block_colour": [["red", "green"]]}, "bce"),
        ({"allow_colour": [["red", "ä"]], "block_colour": [["red"]]}, "e"),
        ({"min_price": [2.5]}, "bde"),
        ({"max_price": [2.5]}, "ab"),
        ({"min_price": [2.0], "max_price": [3.0], "min_stars": [2.0]}, "b"),
        ({"max_price": [-math.inf]}, ""),
        ({"min_price": [5.0], "max_price": [1.0]}, ""),
    ],
)
def test_what_remains(given, kept):
    assert FILTERS.are_set(asked(**given))
    left = CATALOGUE["item_id"][~forbidden(**given)[0]]
    assert b"".join(left).decode() == kept


TEXTS = st.sampled_from(["", "red", "blue", "ä", "green"])
BOUNDS = st.sampled_from([math.nan, -math.inf, 0.0, 1.0, 2.5, 4.0, math.inf])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 3).flatmap(
        lambda batch: st.tuples(
            st.just(batch),
            *(
                st.lists(
                    st.lists(TEXTS, min_size=2, max_size=2),
                    min_size=batch,
                    max_size=batch,
                )
                for _ in range(2)
            ),
            *(st.lists(BOUNDS, min_size=batch, max_size=batch) for _ in range(2)),
        )
    )
)
def test_a_plain_loop_says_the_same(case):
    batch, allow, block, low, high = case
    shaped = [np.array(rows, object).reshape(batch, 2) for rows in (allow, block)]
    answer = forbidden(
        batch=batch,
        allow_colour=shaped[0], block_colour=shaped[1], min_price=low, max_price=high,
    )  # fmt: skip
    assert answer.shape == (batch, 5)
    for row in range(batch):
        wanted = [a for a in allow[row] if a]
        for item in range(5):
            colour, price = COLOURS[item], PRICES[item]
            fits = (not wanted or colour in wanted) and not (
                colour and colour in block[row]
            )
            fits &= math.isnan(low[row]) or price >= low[row]
            fits &= math.isnan(high[row]) or price <= high[row]
            assert answer[row, item] == (not fits)


def test_a_shop_without_columns_has_no_filters():
    bare = ItemFilters(FeatureSpec(), {"item_id": CATALOGUE["item_id"]})
    assert bare.inputs == {}
    assert not bare.are_set({})
    assert not bare.forbidden({}, tf.constant(2)).numpy().any()
