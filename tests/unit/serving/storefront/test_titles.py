import pytest

from serving.storefront.titles import title_of

COUNTS = {"DAIRY": 900, "MILK": 40, "WHOLE MILK": 12, "National": 7000, "2": 3000}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("DAIRY MILK WHOLE MILK 1 GA National", "Whole milk 1 ga"),
        ("DAIRY MILK WHOLE MILK National", "Whole milk"),
        ("DAIRY MILK MILK National", "Milk"),
        ("DAIRY 2 LITER CREAM National", "Dairy liter cream"),
        ("DAIRY", "Dairy"),
        ("Fresh MILK", "Fresh MILK"),
        ("Oak table National", "Oak table National"),
        ("UHT", "UHT"),
        ("  red lamp ", "red lamp"),
        ("", ""),
    ],
)
def test_the_narrowest_category_and_the_rest_are_kept(text, title):
    assert title_of(text, COUNTS) == title


def test_a_text_that_is_the_broadest_category_alone_stays():
    assert title_of("National", COUNTS) == "National"


def test_nothing_is_known_of_categories():
    assert title_of("DAIRY MILK", {}) == "Dairy milk"
