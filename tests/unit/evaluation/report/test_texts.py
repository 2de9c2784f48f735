import numpy as np
import pytest

from tfrs_app.contract.features import FeatureSpec
from tfrs_app.evaluation.report.texts import naming_features, shortened, text_of

TITLE = {"name": "title", "role": "candidate", "kind": "text"}
MORE = {"name": "more", "role": "candidate", "kind": "text"}
NAME = {"name": "product_name", "role": "candidate", "kind": "categorical"}
COLOUR = {"name": "colour", "role": "candidate", "kind": "categorical"}
CITY = {"name": "city_name", "role": "query", "kind": "categorical"}
CATALOGUE = {
    "item_id": np.array([b"i0", b"i1", b"i2"], object),
    "title": np.array([b"Tea", b"", b"  "], object),
    "product_name": np.array([b"T", b"Caf\xc3\xa9", b""], object),
    "colour": np.array([b"red", b"red", b"red"], object),
}


@pytest.mark.parametrize(
    ("features", "named"),
    [
        ([COLOUR, NAME, TITLE, MORE, CITY], ["title", "product_name"]),
        ([COLOUR, NAME], ["product_name"]),
        ([COLOUR], []),
        ([], []),
    ],
)
def test_the_first_text_then_what_is_like_a_name(features, named):
    spec = FeatureSpec.model_validate({"features": features})
    assert naming_features(spec) == named


def test_an_item_without_a_text_is_called_by_its_name_or_its_id():
    named = ["title", "product_name"]
    assert [text_of(row, CATALOGUE, named) for row in range(3)] == ["Tea", "Café", "i2"]
    assert text_of(0, CATALOGUE, []) == "i0"


def test_texts_are_one_printable_line_of_bounded_length():
    assert shortened("a\n b\x00c\t\u202ed") == "a b c d"
    assert shortened("x" * 90) == "x" * 90
    assert shortened("x" * 91) == "x" * 89 + "…"
    assert shortened("汉字 ☕") == "汉字 ☕"
